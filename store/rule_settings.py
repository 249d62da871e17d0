"""The rule settings in force: those of the last `backship init`, kept with the catalogue.

They apply to what is judged from then on. Where they change, a walk over all skus is left behind,
so that they reach what already waits as well (P3, S3), step by step (S6).
"""

from collections.abc import Mapping
from dataclasses import asdict, replace
from datetime import datetime
from hashlib import sha256
from typing import Any, Literal

import orjson

from events.envelope import Cause
from handlers.policy import Policy, Rules
from handlers.rules.identity import derived
from handlers.state import Task, TaskKind
from store import tasks
from store.columns import json_value
from store.statements import Query
from store.transaction import Transaction

SOURCE = "/backship/init"
TYPE = "SettingsChanged"

Kept = Literal["first", "same", "changed"]

# Held alone, as by any other change of what every batch reads.
_LOCK = Query("SELECT t.version, t.rules FROM catalogue AS t WHERE t.id = 1 {lock}")
_READ = Query("SELECT t.rules FROM catalogue AS t WHERE t.id = 1")
_KEEP = Query("UPDATE catalogue SET version = :version, rules = :rules WHERE id = 1")


def keep(tx: Transaction, rules: Rules, now: datetime) -> Kept:
    """Put rule settings in force; where they differ from the last ones, leave the walk."""
    ((version, before),) = tx.query(_LOCK)
    after = text_of(rules)
    if before is not None and _complete(before) == after:
        return "same"
    tx.run(_KEEP, version=version + 1, rules=after)
    if before is None:
        return "first"
    # The version is part of it: back and forth again is another change, with ids of its own.
    event_id = f"{sha256(after.encode()).hexdigest()}-{version + 1}"
    cause = Cause(SOURCE, event_id, TYPE)
    task_id = derived(SOURCE, event_id, TaskKind.WALK)
    tasks.walks(tx)  # the walks under way: this one comes after them
    clock = max(int(now.timestamp() * 1_000_000), tx.clock + 1)
    tasks.save(tx, [Task(task_id, TaskKind.WALK, cause, now, scope="all")], clock)
    return "changed"


def in_force(tx: Transaction, like: Rules) -> Rules | None:
    """Return the rules of the last `backship init`; None: there was none."""
    ((text,),) = tx.query(_READ)
    if text is None:
        return None
    kept = json_value(_complete(text))
    return replace(
        like,
        defaults=Policy(**kept["defaults"]),
        auto_replenish_enabled=kept["auto_replenish_enabled"],
        keep_partial_allocations=kept["keep_partial_allocations"],
    )


def text_of(rules: Rules) -> str:
    """Return rule settings as text that is the same for the same settings."""
    settings = {
        "defaults": asdict(rules.defaults),
        "auto_replenish_enabled": rules.auto_replenish_enabled,
        "keep_partial_allocations": rules.keep_partial_allocations,
    }
    return _text(settings)


def _complete(text: str) -> str:
    """Return kept settings with what an older program did not know of: it worked as the default."""
    return _text({"keep_partial_allocations": True, **json_value(text)})


def _text(settings: Mapping[str, Any]) -> str:
    return orjson.dumps(settings, option=orjson.OPT_SORT_KEYS).decode()
