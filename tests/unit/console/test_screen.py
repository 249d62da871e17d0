"""One JSON document for programs; plain aligned tables for people."""

from datetime import UTC, datetime, timedelta, timezone

import orjson
import pytest

from console import screen

AT = datetime(2026, 11, 21, 10, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "-"),
        ("", "-"),
        (0, "0"),
        (1234567, "1,234,567"),
        (True, "yes"),
        (False, "no"),
        (AT, "2026-11-21 10:00"),
        (AT.astimezone(timezone(timedelta(hours=5))), "2026-11-21 10:00"),
        ("Ærø", "Ærø"),
        ("a\x1b[31mb", "a\\x1b[31mb"),
    ],
)
def test_a_value_is_shown_as_a_person_reads_it(value: object, text: str) -> None:
    assert screen.plain(value) == text


def test_moments_in_json_are_in_utc_with_fractions_only_when_they_are_not_0(
    capsys: pytest.CaptureFixture[str],
) -> None:
    screen.document({"a": AT, "b": AT + timedelta(microseconds=5), "c": None})
    assert capsys.readouterr().out == (
        '{"a":"2026-11-21T10:00:00Z","b":"2026-11-21T10:00:00.000005Z","c":null}\n'
    )


@pytest.mark.parametrize("count", [0, 1, 3])
def test_many_documents_are_one_json_array(count: int, capsys: pytest.CaptureFixture[str]) -> None:
    screen.documents(screen.json_text({"n": n}) for n in range(count))
    assert orjson.loads(capsys.readouterr().out) == [{"n": n} for n in range(count)]


def test_a_table_has_numbers_to_the_right_and_neither_colours_nor_trailing_blanks(
    capsys: pytest.CaptureFixture[str],
) -> None:
    screen.table("Title", ("name", "units"), [("a", 5), ("long one", 1234), ("[bold]", None)])
    assert capsys.readouterr().out.splitlines() == [
        "Title",
        "name      units",
        "────────────────",
        "a             5",
        "long one  1,234",
        "[bold]        -",
        "",
    ]


def test_a_long_cell_is_not_cut_where_nobody_has_a_screen(
    capsys: pytest.CaptureFixture[str],
) -> None:
    screen.table("T", ("name",), [("x" * 500,)])
    assert "x" * 500 in capsys.readouterr().out


def test_an_empty_table_says_so_in_words(capsys: pytest.CaptureFixture[str]) -> None:
    screen.table("Title", ("name",), [], nothing="No order waits.")
    assert capsys.readouterr().out == "No order waits.\n"


def test_on_a_narrow_screen_each_row_is_a_block(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(screen, "_width", lambda: 30)
    columns = ("replenishment", "vendor", "destination")
    screen.table("Bought", columns, [("R-1", "V", "WH1"), ("R-2", "V", "WH2")])
    assert capsys.readouterr().out.splitlines() == [
        "Bought (1 of 2)",
        "replenishment  R-1",
        "vendor         V",
        "destination    WH1",
        "",
        "Bought (2 of 2)",
        "replenishment  R-2",
        "vendor         V",
        "destination    WH2",
        "",
    ]


@pytest.mark.parametrize(
    ("count", "text"), [(0, "0 orders"), (1, "1 order"), (2000, "2,000 orders")]
)
def test_a_number_has_its_noun(count: int, text: str) -> None:
    assert screen.counted(count, "order") == text
