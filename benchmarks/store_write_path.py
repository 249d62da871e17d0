"""How fast the store alone keeps orders: claim + load + save, without deciding and the broker.

Batches of `OrderPlaced` with three lines each over a number of skus, all of it in stock, against a
database of its own that is dropped afterwards. Per batch: claim in the inbox, load and lock, save
every row (order, lines, allocations, stock, reasons, outbox, history), commit. Deciding is run in
between and not counted; decoding is done beforehand.

    python -m benchmarks.store_write_path [--sqlite] [--batch 500] [--batches 40] [--skus 1000]

Reads BACKSHIP_TEST_POSTGRES_URL. Rates on shared machines move by a third between runs: compare
only what one run says.
"""

import argparse
import gc
import random
import statistics
import tempfile
import time
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson

from events.codec import decode
from events.envelope import Event
from handlers.batch import decide, keys_of
from handlers.policy import Rules
from handlers.state import Keys, Unloaded
from store import inbox, migrations
from store.inbox import Arrival
from store.load import load
from store.save import save
from store.transaction import Database
from tests.support.services import own_database, postgres_url

NOW = datetime(2026, 11, 21, 10, tzinfo=UTC)
STAGES = ("claim", "load", "save", "commit")


def arrival(kind: str, event_id: str, data: dict[str, Any]) -> Arrival:
    body = orjson.dumps(
        {
            "specversion": "1.0",
            "id": event_id,
            "source": "/shops/main",
            "type": kind,
            "time": "2026-11-21T10:00:00Z",
            "data": data,
        }
    )
    event = decode(body)
    assert isinstance(event, Event), event
    return Arrival(event, body, NOW, f"{kind}.main")


def order(draw: random.Random, number: int, skus: list[str]) -> Arrival:
    return arrival(
        "OrderPlaced",
        f"o{number}",
        {
            "shop": "main",
            "order_id": f"1000{number:07d}",
            "placed_at": "2026-11-21T09:00:00Z",
            "customer": {"email": "someone@example.org", "locale": "en"},
            "lines": [
                {
                    "line_id": str(line),
                    "sku": sku,
                    "qty": draw.randint(1, 5),
                    "name": f"Article {sku}",
                    "unit_price": "12.50",
                }
                for line, sku in enumerate(draw.sample(skus, 3))
            ],
        },
    )


def run(database: Database, arrivals: list[Arrival], spent: dict[str, list[float]]) -> int:
    """Keep one batch; note what each stage took; return the number of statements."""
    more = Keys()
    while True:
        try:
            marks = [time.perf_counter()]
            with database.begin() as tx:
                claim = inbox.claim(tx, arrivals)
                marks.append(time.perf_counter())
                events = [row.event for row in claim.fresh]
                state = load(tx, keys_of(events).join(more), events, Rules())
                marks.append(time.perf_counter())
                decision = decide(state, [(row.event, NOW) for row in claim.fresh], NOW)
                decided = time.perf_counter() - marks[-1]
                save(tx, state, decision, NOW)
                marks.append(time.perf_counter())
            marks.append(time.perf_counter())
        except Unloaded as missing:
            more.learn(missing)
            continue
        for name, start, end in zip(STAGES, marks, marks[1:], strict=False):
            spent[name].append(end - start - (decided if name == "save" else 0))
        spent["decide"].append(decided)
        return tx.statements


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sqlite", action="store_true")
    parser.add_argument("--batch", type=int, default=500)
    parser.add_argument("--batches", type=int, default=40)
    parser.add_argument("--skus", type=int, default=1000)
    wanted = parser.parse_args()
    draw = random.Random(1)
    skus = [f"SKU-{number:06d}" for number in range(wanted.skus)]
    with ExitStack() as stack:
        if wanted.sqlite:
            folder = stack.enter_context(tempfile.TemporaryDirectory())
            url = f"sqlite:///{Path(folder) / 'bench.db'}"
        else:
            url = stack.enter_context(own_database(postgres_url()))
        database = Database(url)
        stack.callback(database.close)
        migrations.upgrade(database)
        receipts = [
            arrival(
                "StockReceived",
                f"r{start}",
                {
                    "receipt_id": f"R{start}",
                    "place": "WH1",
                    "lines": [{"sku": sku, "qty": 1_000_000} for sku in skus[start : start + 1000]],
                },
            )
            for start in range(0, len(skus), 1000)
        ]
        spent: dict[str, list[float]] = {name: [] for name in (*STAGES, "decide")}
        run(database, receipts, spent)
        run(database, [order(draw, 0, skus)], spent)
        batches = [
            [order(draw, 1 + index * wanted.batch + n, skus) for n in range(wanted.batch)]
            for index in range(wanted.batches)
        ]
        for times in spent.values():
            times.clear()
        # A worker holds one batch at a time; the collector is not to walk over those yet to come.
        gc.collect()
        gc.freeze()
        statements = {run(database, batch, spent) for batch in batches}
    print(f"{url.split(':')[0]}: {wanted.batches} batches of {wanted.batch}, {wanted.skus} skus")
    print(f"statements per batch: {sorted(statements)}")
    for name in (*STAGES, "decide"):
        print(f"  {name:7} {statistics.mean(spent[name]) * 1e3:7.1f} ms a batch (mean)")
    total = sum(sum(spent[name]) for name in STAGES)
    middle = statistics.median(map(sum, zip(*(spent[name] for name in STAGES), strict=True)))
    events = wanted.batch * wanted.batches
    print(f"claim + load + save + commit: {events / total:,.0f} OrderPlaced/s (mean),")
    print(f"                              {wanted.batch / middle:,.0f} OrderPlaced/s (median)")


if __name__ == "__main__":
    main()
