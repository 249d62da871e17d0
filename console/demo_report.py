"""What a demo prints at its end: what happened, held units over time, a held order, what to try."""

import shlex
import shutil
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from io import TextIOWrapper
from pathlib import Path

from rich.console import Console
from rich.text import Text

from config.settings import PREFIX
from console.demo_chart import chart
from console.demo_draw import SEED
from console.demo_events import SHOP
from console.demo_replay import Replay
from console.demo_servers import DATABASE_URL, FILE
from console.demo_shop import TakenBack
from console.demo_story import Step
from console.screen import printable
from store.views.shapes import AuditView

Row = tuple[str, str, str]  # label, figure, note
Say = Callable[..., None]

_WIDTH = 80
_ORDERS = (
    'Orders: "Online Retail", Daqing Chen, UCI Machine Learning Repository 352, 2015; CC BY 4.0.'
)
_VENDORS = "Vendors and lead times: AdventureWorks, Microsoft; MIT."
_DRAWN = f"Stock, receipts and shipments are drawn with seed {SEED}. More: NOTICE."


@dataclass(frozen=True, slots=True)
class Outcome:
    """A demo that has come to its end."""

    replay: Replay
    seconds: float
    held_orders: int
    story: Sequence[Step]
    audit: AuditView
    on_servers: bool


def show(outcome: Outcome) -> None:
    """Print it on standard output."""
    console = _console()

    def say(text: str = "", style: str = "") -> None:
        console.print(Text(text, style=style), soft_wrap=True)

    say()
    for line in _head(outcome):
        say(line)
    for group in _figures(outcome):
        say()
        for label, value, note in group:
            figure = Text.assemble((f"  {label:<16}", "bold"), f"{value:>9}  ", (note, "dim"))
            console.print(figure, soft_wrap=True)
    say()
    say("Units held at the end of each day", "bold")
    for line in chart(outcome.replay.tally.held):
        say(f"  {line}", "cyan")
    _tell_story(outcome, say)
    say()
    say(*_audit(outcome.audit))
    say()
    say(_left(outcome), "bold")
    for command in commands(outcome):
        say(f"  {command}")
    say()
    for line in (_ORDERS, _VENDORS, _DRAWN):
        say(line, "dim")


def _console() -> Console:
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # a chart of question marks is better than none
    width = None if sys.stdout.isatty() else _WIDTH
    return Console(file=sys.stdout, width=width, highlight=False, emoji=False)


def _head(outcome: Outcome) -> Iterable[str]:
    replay = outcome.replay
    survey, heard = replay.survey, replay.tally.messages.total()
    rate = replay.events_told / max(outcome.seconds, 0.001)
    yield (
        f"{len(survey.invoice_lines):,} invoices of a real shop, {_day(survey.first)} to "
        f"{_day(survey.last)}, on their own clock."
    )
    yield (
        f"{replay.events_told:,} events in, {heard:,} out, all confirmed, in "
        f"{outcome.seconds:,.0f} s ({rate:,.0f} in a second)."
    )


def _figures(outcome: Outcome) -> Iterable[list[Row]]:
    replay = outcome.replay
    tally, placed, back = replay.tally, replay.shop.placed, replay.shop.taken_back
    median, worst = tally.median_wait_days(), tally.worst_wait_days()
    yield [
        ("Units ordered", _n(placed.units), f"{placed.orders:,} orders, {placed.lines:,} lines"),
        ("  ready at once", _n(tally.at_once), "shipped on the next day"),
        ("  back-ordered", _n(tally.back_ordered), _short(replay)),
        ("  rejected", _n(tally.rejected), f"{tally.rejected_lines:,} lines that may not wait"),
    ]
    held = outcome.held_orders
    yield [
        (
            "Back to ship",
            _n(tally.back_to_ship),
            f"after {median:.0f} days of waiting (median), {worst:.0f} at worst",
        ),
        ("Cancelled", _n(back.cancelled), _cancelled(back)),
        ("Returned", _n(back.returned), "after they were shipped"),
        (
            "Written off",
            _n(replay.warehouse.written_off_units),
            f"in {replay.warehouse.written_off_lines:,} lines, told as counts",
        ),
        ("Still held", _n(tally.held[max(tally.held)]), f"of {held:,} orders{_why(replay)}"),
    ]
    yield [_replenishments(replay), _sent(replay)]
    yield list(_not_replayed(replay))


def _replenishments(replay: Replay) -> Row:
    messages = replay.tally.messages
    counts = ", ".join(
        f"{messages[f'Replenishment{word.capitalize()}']:,} {word}"
        for word in ("extended", "reduced", "cancelled")
    )
    return ("Replenishments", _n(messages["ReplenishmentRaised"]), f"raised; {counts}")


def _sent(replay: Replay) -> Row:
    buyer = replay.buyer
    whole = buyer.sent - buyer.given_up
    note = f"closed: {whole:,} received in full, {buyer.given_up:,} given up short"
    return ("", _n(buyer.sent), note)


def _not_replayed(replay: Replay) -> Iterable[Row]:
    left, back = replay.not_replayed, replay.shop.taken_back
    no_sale = f"of {back.lines:,} C… lines: no such sale in the data"
    yield "Not replayed", _n(back.lines_unknown), no_sale
    if left.bad_debt_lines:
        yield "", _n(left.bad_debt_lines), "lines that adjust bad debt"
    if back.fees:
        yield "", _n(back.fees), "units of postage or fees refunded: nothing to store"


def _short(replay: Replay) -> str:
    tally = replay.tally
    share = _share(tally.back_ordered_lines, replay.shop.placed.lines)
    lines, orders = tally.back_ordered_lines, tally.back_ordered_orders
    return f"{lines:,} lines ({share} %) of {orders:,} orders"


def _cancelled(back: TakenBack) -> str:
    if back.largest is None:
        return "while open"
    return f"while open; {back.largest[0]:,} of them in order {back.largest[1]}"


def _why(replay: Replay) -> str:
    return ": no vendor sells it any more" if replay.tally.exceptions["no_vendor"] else ""


def _tell_story(outcome: Outcome, say: Say) -> None:
    wait = outcome.replay.tally.longest
    if wait is None or not outcome.story:
        return
    say()
    say(f"The order that waited longest: {SHOP}/{wait.order_id}", "bold")
    for at, what in outcome.story:
        moment = "" if at is None else f"{at.astimezone(UTC):%-d %b %Y %H:%M}"
        say(f"  {moment:<17}  {printable(what)}")


def _left(outcome: Outcome) -> str:
    return "Try next" if outcome.on_servers else f"Try next, on what it left in {FILE}"


def _audit(view: AuditView) -> tuple[str, str]:
    rows = sum(view["checked"].values())
    count = len(view["differences"])
    if count:
        return f"Audit: {count:,} differences in {rows:,} rows; `backship audit` lists them", "red"
    return f"Audit: every counter derived again from {rows:,} rows; no difference", "green"


def commands(outcome: Outcome) -> list[str]:
    """Return three commands that show more of what the demo left, as they can be typed."""
    wait = outcome.replay.tally.longest
    chosen = ["backorders", "exceptions", "replenishments"]
    if wait is not None:
        chosen = [f"explain {shlex.quote(f'{SHOP}/{wait.order_id}')}", "backorders"]
        chosen.append(
            f"replenishment {wait.replenishment_id}"
            if wait.replenishment_id is not None
            else f"stock {shlex.quote(wait.sku)}"
        )
    setting = "" if outcome.on_servers else f"{PREFIX}DATABASE_URL={DATABASE_URL} "
    return [f"{setting}{program()} {words}" for words in chosen]


def program() -> str:
    """Return what a person types to run this program here."""
    typed = Path(sys.argv[0])
    on_path = shutil.which("backship")
    if typed.name != "backship" or not typed.exists():
        return "backship" if on_path else f"{shlex.quote(sys.executable)} -m console"
    same = on_path is not None and Path(on_path).resolve() == typed.resolve()
    return "backship" if same else shlex.quote(str(typed))


def _share(part: int, whole: int) -> int:
    return round(100 * part / whole) if whole else 0


def _day(at: datetime) -> str:
    return f"{at:%-d %b %Y}"


def _n(value: int) -> str:
    return f"{value:,}"
