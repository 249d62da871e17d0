"""Whatever goes wrong ends as one sentence and the exit status of contract.md §6."""

import importlib

import pytest

from config.errors import SettingsError
from console.trouble import ENDINGS, Status, WrongUse, explain
from store import errors as store
from workers.transports import errors as transports
from workers.wiring import NamesTaken


@pytest.mark.parametrize(("module", "name", "status"), ENDINGS)
def test_every_ending_names_an_exception_there_is(module: str, name: str, status: Status) -> None:
    assert issubclass(getattr(importlib.import_module(module), name), Exception)
    assert status in {Status.WRONG_USE, Status.NO_SERVER}


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (WrongUse("that is no time."), 2),
        (SettingsError("BACKSHIP_X is no setting of Backship"), 2),
        (NamesTaken("events is taken"), 2),
        (store.SchemaMissing("no tables"), 2),
        (store.SchemaOutdated("old tables"), 2),
        (store.Unavailable("DATABASE_URL must begin with sqlite://.", "url"), 2),
        (store.Unavailable("can not be reached", "connection"), 3),
        (store.Refused("refused us", "28P01"), 3),
        (store.ConnectionLost("lost"), 3),
        (store.Contention("in the way"), 3),
        (transports.TopologyMissing("backship.in"), 2),
        (transports.TopologyDiffers("backship.in", "type"), 2),
        (transports.BadAddress("BROKER_URL can not be read"), 2),
        (transports.ConnectionLost("does not answer"), 3),
        (transports.Refused("says no"), 3),
        (KeyError("a bug"), 1),
    ],
    ids=repr,
)
def test_an_error_ends_with_its_status_and_one_sentence(error: Exception, status: int) -> None:
    found, sentence = explain(error)
    assert found == status
    assert "\n" not in sentence
    assert sentence.endswith(".")


def test_a_bug_says_that_it_is_one_and_how_to_see_where() -> None:
    _status, sentence = explain(ZeroDivisionError("division by zero"))
    assert sentence == (
        "this should not happen: ZeroDivisionError: division by zero (--debug shows where)."
    )


def test_a_message_of_several_lines_becomes_one_sentence() -> None:
    assert explain(WrongUse("first\n  second"))[1] == "first second."
