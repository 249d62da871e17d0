"""The replay: everything in order of time, told together, and never before what it depends on."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson

from console.demo_data import COLUMNS, survey
from console.demo_draw import Draw
from console.demo_engine import Heard
from console.demo_replay import Replay
from workers.transports.base import OutgoingMessage

BATCH_SIZE_MAX = 500


class Engine:
    """Hears what it is told, and answers each order as if everything were there."""

    def __init__(self) -> None:
        self.told: list[list[dict[str, Any]]] = []

    def tell(self, messages: list[OutgoingMessage]) -> list[Heard]:
        self.told.append([orjson.loads(message.body) for message in messages])
        return [_ready(event) for event in self.told[-1] if event["type"] == "OrderPlaced"]

    def held_units(self) -> int:
        return len(self.told)

    def kinds(self) -> list[list[str]]:
        """The types of what was told, batch by batch, without what opens the house."""
        return [kinds for told in self.told[1:] if (kinds := [event["type"] for event in told])]


class Still:
    """A clock and a watcher that only remember."""

    def __init__(self) -> None:
        self.moments: list[datetime] = []

    def set(self, moment: datetime) -> None:
        self.moments.append(moment)

    def moved(self, replay: Replay) -> None:
        assert replay.now == self.moments[-1]


def _ready(event: dict[str, Any]) -> Heard:
    data = event["data"]
    lines = [{name: line[name] for name in ("line_id", "sku", "qty")} for line in data["lines"]]
    ready = {"order_id": data["order_id"], "release_id": f"r{data['order_id']}", "lines": lines}
    return Heard("ReadyToShip", datetime.fromisoformat(event["time"]), ready)


def replayed(
    tmp_path: Path, *rows: str, batch_size_max: int = BATCH_SIZE_MAX
) -> tuple[Replay, Engine, Still]:
    path = tmp_path / "lines.csv"
    path.write_text("\n".join([",".join(COLUMNS), *rows, ""]), encoding="utf-8")
    replay = Replay(path, survey(path), Draw(), batch_size_max)
    engine, still = Engine(), Still()
    replay.run(engine, still, still)
    return replay, engine, still


def row(invoice: str, day: int, hour: int, qty: int = 2, sku: str = "22728") -> str:
    return f"{invoice},{sku},CLOCK,{qty},2011-01-{day:02}T{hour:02}:00:00,3.75,12583,France"


def test_orders_of_half_a_day_are_told_together(tmp_path: Path) -> None:
    _replay, engine, _still = replayed(
        tmp_path, row("1", 5, 8), row("2", 5, 9), row("3", 5, 19), row("4", 6, 8)
    )
    assert engine.kinds()[:3] == [
        ["OrderPlaced", "OrderPlaced", "OrderPlaced"],
        ["OrderPlaced"],
        ["OrderShipped", "OrderShipped", "OrderShipped"],
    ]


def test_a_batch_is_never_larger_than_it_may_be(tmp_path: Path) -> None:
    orders = [row(str(number), 5, 8, sku=f"{20_000 + number}") for number in range(30)]
    _replay, engine, _still = replayed(tmp_path, *orders, batch_size_max=7)
    assert max(len(told) for told in engine.told) == 7
    placed = [
        event["data"]["order_id"]
        for told in engine.told
        for event in told
        if event["type"] == "OrderPlaced"
    ]
    assert placed == [str(number) for number in range(30)]


def test_time_never_goes_back(tmp_path: Path) -> None:
    _replay, engine, still = replayed(
        tmp_path,
        *(row(str(day), day, hour) for day in (5, 6, 9) for hour in (8,)),
        row("C1", 9, 9, -1),
    )
    assert still.moments == sorted(still.moments)
    times = [event["time"] for told in engine.told for event in told]
    assert times == sorted(times)


def test_the_clock_shows_the_time_of_the_last_event_of_a_batch(tmp_path: Path) -> None:
    _replay, engine, still = replayed(tmp_path, row("1", 5, 8), row("2", 5, 11))
    assert [told[-1]["time"] for told in engine.told] == [
        f"{moment:%Y-%m-%dT%H:%M:%SZ}" for moment in still.moments
    ]


def test_an_order_is_told_before_it_is_cancelled(tmp_path: Path) -> None:
    _replay, engine, _still = replayed(tmp_path, row("1", 5, 8), row("C2", 5, 9, -2))
    assert engine.kinds()[:2] == [["OrderPlaced"], ["OrderCancelled"]]


def test_a_cancellation_of_nothing_here_interrupts_nothing(tmp_path: Path) -> None:
    replay, engine, _still = replayed(
        tmp_path, row("1", 5, 8), row("C2", 5, 9, -2, sku="99999"), row("3", 5, 10)
    )
    assert engine.kinds()[0] == ["OrderPlaced", "OrderPlaced"]
    assert replay.shop.taken_back.lines_unknown == 1


def test_a_cancellation_after_the_shipment_is_a_return(tmp_path: Path) -> None:
    _replay, engine, _still = replayed(tmp_path, row("1", 5, 8), row("C2", 7, 9, -2))
    assert engine.kinds() == [["OrderPlaced"], ["OrderShipped"], ["StockReturned"]]


def test_write_offs_are_told_as_counts_and_bad_debt_is_not_told(tmp_path: Path) -> None:
    replay, engine, _still = replayed(
        tmp_path, row("1", 5, 8), row("2", 5, 9, -40), row("3", 5, 9, -2), row("A4", 5, 10, 1)
    )
    house = replay.warehouse
    assert (house.written_off_lines, house.written_off_units) == (2, 42)
    assert replay.not_replayed.bad_debt_lines == 1
    assert engine.kinds() == [["OrderPlaced", "StockCounted", "StockCounted"], ["OrderShipped"]]
    assert replay.lines_read == replay.survey.lines == 4


def test_it_opens_the_day_before_the_first_order(tmp_path: Path) -> None:
    replay, engine, still = replayed(tmp_path, row("1", 5, 8))
    assert still.moments[0] == datetime(2011, 1, 4, 8, tzinfo=UTC)
    assert {event["type"] for event in engine.told[0]} >= {
        "PlaceChanged",
        "ShopChanged",
        "ItemChanged",
    }
    assert min(replay.tally.held) == datetime(2011, 1, 5, tzinfo=UTC).date()
