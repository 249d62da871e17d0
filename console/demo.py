"""`backship demo`: a real shop's orders through the real engine, and what came of them.

1. Read the data once: how much there is, what sells how fast (`demo_data`).
2. Make the tables and the topology, in a file of the demo's own or on empty servers
   (`demo_servers`).
3. Replay: invoices, and the acts of warehouse and buyer, are told to a worker and answered
   (`demo_replay`, `demo_engine`; `demo_shop`, `demo_warehouse`, `demo_buyer`).
4. Audit, and print what happened (`demo_story`, `demo_report`).
"""

from datetime import timedelta
from pathlib import Path

from config import logs
from config.settings import Settings
from console import demo_report
from console.demo_data import SAMPLE, survey
from console.demo_draw import Draw
from console.demo_engine import DataClock, running
from console.demo_replay import Replay
from console.demo_servers import alone, check_empty, embedded, remove_earlier
from console.demo_story import story
from console.preparing import prepare
from console.progress import Progress, progress
from console.trouble import Status
from store.audit.inspection import inspect
from store.views.backorders import Wanted, backorders
from workers.clock import SystemClock
from workers.wiring import House, ease_collection, opened

_THOUSANDTHS = 1_000
_OF_LINES = 600  # of the work is done when the last line is read; the rest is waiting for goods
_DAYS_KEPT = 36_500  # a year is replayed in minutes, to be looked at afterwards
_AFTERWARDS = timedelta(days=60)


def run(*, full: Path | None, on_servers: bool, settings: Settings) -> int:
    """Run the demo; return the exit status.

    Raises WrongUse for a file that is none, and for servers that are not empty.
    """
    logs.configure("WARNING")
    kept = dict.fromkeys(("inbox_days", "emitted_days", "resolved_days"), _DAYS_KEPT)
    settings = settings.model_copy(update=kept)
    if on_servers:
        check_empty(settings)
        return _replay(settings, full, on_servers=True)
    with alone():
        return _replay(embedded(settings), full, on_servers=False)


def _replay(settings: Settings, full: Path | None, *, on_servers: bool) -> int:
    clock = SystemClock()
    path = full or SAMPLE
    with progress("Demo", clock) as bar:
        bar.reached(0, _THOUSANDTHS, f"Reading {path.name}")
        replay = Replay(path, survey(path), Draw(), settings.batch_size_max)
        if not on_servers:
            remove_earlier()
        for _sentence in prepare(settings):
            pass
        begun = clock.monotonic()
        data_clock = DataClock(replay.now)
        ease_collection()
        with opened(settings, data_clock) as house:
            with running(house) as engine:
                replay.run(engine, data_clock, _Watcher(bar))
            seconds = clock.monotonic() - begun
            bar.reached(_THOUSANDTHS, _THOUSANDTHS, "Auditing")
            outcome = _look_back(house, replay, seconds, on_servers=on_servers)
    demo_report.show(outcome)
    return Status.NOT_SO if outcome.audit["differences"] else Status.DONE


def _look_back(
    house: House, replay: Replay, seconds: float, *, on_servers: bool
) -> demo_report.Outcome:
    rules, now = house.settings.rules(), house.clock.now()
    wait = replay.tally.longest
    with house.database.read() as tx:
        name = "" if wait is None else replay.survey.names.get(wait.sku, "")
        return demo_report.Outcome(
            replay=replay,
            seconds=seconds,
            held_orders=sum(1 for _order in backorders(tx, rules, Wanted(), now)),
            story=[] if wait is None else story(tx, rules, wait, name, now),
            audit=inspect(tx, rules),
            on_servers=on_servers,
        )


class _Watcher:
    """Shows how far the replay is: by the lines read, and by the time that has gone by."""

    def __init__(self, bar: Progress) -> None:
        self._bar = bar

    def moved(self, replay: Replay) -> None:
        """Look at the replay."""
        survey = replay.survey
        gone = (replay.now - survey.first) / (survey.last + _AFTERWARDS - survey.first)
        of_lines = _OF_LINES * replay.lines_read // survey.lines
        of_time = (_THOUSANDTHS - _OF_LINES) * min(1.0, max(0.0, gone))
        held = replay.tally.held.get(replay.now.date(), 0)
        self._bar.reached(
            of_lines + round(of_time),
            _THOUSANDTHS,
            f"{replay.now:%d %b %Y}  {replay.lines_read:>7,} lines  {held:>7,} units held",
        )
