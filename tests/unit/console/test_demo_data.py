"""The demo's orders as they stand in a file: read whole, in order, in UTC; or refused by line."""

import gzip
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from console.demo_data import COLUMNS, SAMPLE, Invoice, Kind, invoices, is_fee, survey, uk_time
from console.trouble import WrongUse

HEAD = ",".join(COLUMNS)


def written(tmp_path: Path, *rows: str) -> Path:
    path = tmp_path / "lines.csv"
    path.write_text("\n".join([HEAD, *rows, ""]), encoding="utf-8")
    return path


def row(invoice: str, sku: str = "22728", qty: int = 1, at: str = "2011-01-05T10:00:00") -> str:
    return f"{invoice},{sku},CLOCK,{qty},{at},3.75,12583,France"


def read(path: Path) -> list[Invoice]:
    return list(invoices(path, survey(path)))


def test_uk_time_follows_the_rule_of_the_zone_in_every_hour() -> None:
    zone = ZoneInfo("Europe/London")
    local = datetime(2010, 1, 1)  # noqa: DTZ001 - the data's own time names no zone
    while local < datetime(2026, 1, 1):  # noqa: DTZ001 - as above
        expected = local.replace(tzinfo=zone).astimezone(UTC)
        skipped = expected.astimezone(zone).replace(tzinfo=None) != local
        twice = local.replace(tzinfo=zone, fold=1).astimezone(UTC) != expected
        if not (skipped or twice):
            assert uk_time(local.isoformat()) == expected
        local += timedelta(hours=1)


def test_the_sample_is_300_whole_invoices_of_every_kind() -> None:
    found = read(SAMPLE)
    kinds = Counter(invoice.kind for invoice in found)
    lines = Counter[Kind]()
    for invoice in found:
        lines[invoice.kind] += len(invoice.lines)
    assert len({invoice.number for invoice in found}) == len(found) == 300
    assert kinds == {"order": 222, "cancellation": 43, "write-off": 32, "bad debt": 3}
    assert lines == {"order": 5_036, "cancellation": 90, "write-off": 32, "bad debt": 3}


def test_invoices_come_in_the_order_of_time() -> None:
    moments = [invoice.at for invoice in read(SAMPLE)]
    assert moments == sorted(moments)


def test_an_invoice_with_two_timestamps_is_one_at_the_first(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        row("1", at="2011-01-05T10:00:00"),
        row("1", "21730", at="2011-01-05T10:01:00"),
    )
    [invoice] = read(path)
    assert invoice.at == datetime(2011, 1, 5, 10, tzinfo=UTC)
    assert [line.sku for line in invoice.lines] == ["22728", "21730"]


def test_an_invoice_whose_lines_stand_apart_is_one_and_comes_first(tmp_path: Path) -> None:
    found = read(written(tmp_path, row("1"), row("2"), row("3"), row("1", "21730"), row("2")))
    assert [(invoice.number, len(invoice.lines)) for invoice in found] == [
        ("1", 2),
        ("2", 2),
        ("3", 1),
    ]


def test_a_survey_counts_what_is_sold_less_what_is_cancelled(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        row("1", qty=74_215),
        row("C2", qty=-74_215),
        row("3", qty=6, at="2011-01-06T10:00:00"),
        row("4", qty=-50),
    )
    found = survey(path)
    assert found.net_units["22728"] == 6, "a typing error is no demand, nor is a write-off"
    assert found.daily_units("22728") == 3
    assert found.cancelled == {("12583", "22728")}
    assert (found.lines, len(found.invoice_lines)) == (4, 4)


def test_a_compressed_file_and_a_plain_one_read_the_same(tmp_path: Path) -> None:
    plain = tmp_path / "plain.csv"
    plain.write_bytes(gzip.decompress(SAMPLE.read_bytes()))
    assert read(plain) == read(SAMPLE)


@pytest.mark.parametrize(
    "code",
    [pytest.param(code, id=code) for code in ("POST", "DOT", "BANK CHARGES", "gift_0001_20")],
)
def test_postage_fees_and_vouchers_are_known_by_their_code(code: str) -> None:
    assert is_fee(code)


def test_goods_with_odd_codes_are_goods() -> None:
    assert not any(is_fee(code) for code in ("PADS", "DCGSSBOY", "85123A", "post", "15056BL"))


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        pytest.param(row("1", qty=0), "its quantity is 0", id="no-quantity"),
        pytest.param(row("1", at="yesterday"), "isoformat", id="no-time"),
        pytest.param(row("", "x"), "no invoice", id="no-invoice"),
        pytest.param("1,2,3", "values to unpack", id="too-few-columns"),
        pytest.param(row("1").replace(",1,", ",x,"), "invalid literal", id="no-number"),
    ],
)
def test_a_bad_line_is_named_by_its_number(tmp_path: Path, line: str, reason: str) -> None:
    path = written(tmp_path, row("1"), line)
    with pytest.raises(WrongUse, match=f"lines.csv, line 3, is no invoice line: .*{reason}"):
        survey(path)


def test_a_file_with_other_columns_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "other.csv"
    path.write_text("order,sku\n1,2\n", encoding="utf-8")
    with pytest.raises(WrongUse, match="does not begin with the columns invoice, stock_code"):
        survey(path)


def test_a_file_without_lines_is_refused(tmp_path: Path) -> None:
    with pytest.raises(WrongUse, match="holds no invoice lines"):
        survey(written(tmp_path))


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(None, id="not-there"),
        pytest.param(b"\x1f\x8b\x00 no gzip at all", id="broken-gzip"),
        pytest.param(gzip.compress(b"invoice" * 1000)[:-9], id="cut-gzip"),
        pytest.param(f"{HEAD}\n1,2,\xe9".encode("latin-1"), id="not-utf-8"),
    ],
)
def test_a_file_that_can_not_be_read_is_one_sentence(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "file.csv.gz"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(WrongUse, match=r"file\.csv\.gz"):
        survey(path)
