"""What the benchmarks publish: orders over the skus of a real shop, sold as unevenly as there.

`benchmarks/data/uci-lines-by-sku.csv` counts the order lines of each sku in a year of the "Online
Retail" set (UCI 352, CC BY 4.0; see NOTICE). Lines are drawn by these counts: of 3,928 skus the
first hundred have 19 % of the lines. Everything is drawn with a seed.
"""

import csv
import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import accumulate
from pathlib import Path

import orjson

from tests.support.builders import item_changed, place_changed, shop_changed, stock_received
from tests.support.stack import outgoing
from workers.transports.base import OutgoingMessage

COUNTS = Path(__file__).parent.parent / "data" / "uci-lines-by-sku.csv"
SEED = 352
VENDORS = 100
PLENTY = 10_000_000
SKUS_PER_RECEIPT = 500


@dataclass(frozen=True, slots=True)
class Skew:
    """Skus, and how often each is ordered."""

    skus: Sequence[str]
    totals: Sequence[int]

    def draw(self, random_source: random.Random, count: int) -> list[str]:
        """Return that many different skus."""
        drawn: dict[str, None] = {}
        while len(drawn) < count:
            chosen = random_source.choices(self.skus, cum_weights=self.totals, k=count - len(drawn))
            drawn.update(dict.fromkeys(chosen))
        return list(drawn)


@cache
def real_skew() -> Skew:
    """Return the skus of the shop by falling share."""
    with COUNTS.open(newline="") as file:
        rows = [(row["stock_code"], int(row["lines"])) for row in csv.DictReader(file)]
    return Skew([sku for sku, _ in rows], list(accumulate(lines for _, lines in rows)))


def even(skus: Sequence[str]) -> Skew:
    """Return skus that are all ordered as often as one another."""
    return Skew(skus, range(1, len(skus) + 1))


def catalogue(skus: Sequence[str], *, stocked_of_two: int = 1) -> Iterator[OutgoingMessage]:
    """Tell of a place, the skus with a vendor each, and plenty of stock for every second one.

    `stocked_of_two`: of every two skus, as they stand, so many have stock; 2: all, 0: none.
    """
    yield outgoing(place_changed("WH1"))
    yield outgoing(shop_changed("main", sources=["WH1"]))
    for n, sku in enumerate(skus):
        yield outgoing(item_changed(sku, vendor=f"V{n % VENDORS}"))
    stocked = [sku for n, sku in enumerate(skus) if n % 2 < stocked_of_two]
    for start in range(0, len(stocked), SKUS_PER_RECEIPT):
        lines = [(sku, PLENTY) for sku in stocked[start : start + SKUS_PER_RECEIPT]]
        yield outgoing(stock_received(f"stock-{start}", "WH1", lines))


def orders(
    kind: str,
    count: int,
    *,
    skew: Skew | None = None,
    lines: int = 3,
    qty: int = 2,
    seed: int = SEED,
    first: int = 0,
) -> Iterator[OutgoingMessage]:
    """Yield orders as a shop would publish them; `kind` keeps their ids apart."""
    source = random.Random(seed)
    drawn_from = skew or real_skew()
    for n in range(first, first + count):
        yield order(f"{kind}-{n}", drawn_from.draw(source, lines), qty, n)


def order(order_id: str, skus: Iterable[str], qty: int, second: int) -> OutgoingMessage:
    """Return one order, placed so many seconds into a day."""
    placed_at = f"2026-11-21T{second // 3600 % 24:02}:{second // 60 % 60:02}:{second % 60:02}Z"
    data = {
        "shop": "main",
        "order_id": order_id,
        "placed_at": placed_at,
        "customer": {"email": "someone@example.org", "locale": "en"},
        "lines": [
            {
                "line_id": str(position),
                "sku": sku,
                "qty": qty,
                "name": f"Article {sku}",
                "unit_price": "12.50",
            }
            for position, sku in enumerate(skus, 1)
        ],
    }
    body = {
        "specversion": "1.0",
        "id": order_id,
        "source": "/shops/main",
        "type": "OrderPlaced",
        "time": placed_at,
        "datacontenttype": "application/json",
        "data": data,
    }
    return OutgoingMessage(order_id, "OrderPlaced", "OrderPlaced.main", orjson.dumps(body), None)
