"""Writing events out: exactly the fields of contract.md §3, nothing else, nothing missing."""

import json
from datetime import UTC, datetime, timedelta, timezone

import pytest
from cloudevents.core.formats.json import JSONFormat
from pydantic import ValidationError

from events.codec import decode, encode, envelope_of
from events.envelope import Cause, Event
from events.examples import OUTBOUND_EXAMPLES, example
from events.inbound import INBOUND, ItemChanged, PolicyChange
from events.outbound import (
    OUTBOUND,
    ExceptionRaised,
    Outbound,
    ReadyToShip,
    Refs,
    ReleasedLine,
    StockStatusChanged,
)
from events.vocabulary import ExceptionCode, StockStatus

AT = datetime(2026, 11, 21, 10, tzinfo=UTC)


def _built(kind: str) -> Outbound:
    return OUTBOUND[kind].model_validate_json(json.dumps(OUTBOUND_EXAMPLES[kind]))


def _unmanaged_release() -> ReadyToShip:
    return ReadyToShip(
        shop="main",
        order_id="1",
        source=None,
        release_id="r1",
        lines=(ReleasedLine(line_id="1", sku="GIFT WRAP", qty=1),),
        order_complete=True,
    )


def test_a_message_is_written_to_the_letter() -> None:
    body = encode(_unmanaged_release(), id="e1", cause_time=AT, subject="main/1")
    assert body.decode() == (
        '{"specversion":"1.0","id":"e1","source":"/backship","type":"ReadyToShip",'
        '"subject":"main/1","time":"2026-11-21T10:00:00Z","datacontenttype":"application/json",'
        '"dataschema":"urn:backship:ReadyToShip:1",'
        '"data":{"shop":"main","order_id":"1","source":null,"release_id":"r1",'
        '"lines":[{"line_id":"1","sku":"GIFT WRAP","qty":1}],"order_complete":true}}'
    )


@pytest.mark.parametrize("kind", OUTBOUND)
def test_every_message_of_the_contract_is_written(kind: str) -> None:
    document = json.loads(encode(_built(kind), id="e1", cause_time=AT, traceparent="t"))
    assert document == {
        "specversion": "1.0",
        "id": "e1",
        "source": "/backship",
        "type": kind,
        "time": "2026-11-21T10:00:00Z",
        "datacontenttype": "application/json",
        "dataschema": f"urn:backship:{kind}:1",
        "traceparent": "t",
        "data": OUTBOUND_EXAMPLES[kind],
    }


def test_what_may_be_left_out_is_and_what_is_null_stands() -> None:
    status = StockStatusChanged(shop="main", sku="A", status=StockStatus.IN_STOCK, sellable=None)
    data = json.loads(encode(status, id="e1", cause_time=AT))["data"]
    assert data == {"shop": "main", "sku": "A", "status": "in_stock", "sellable": None}
    raised = ExceptionRaised(
        code=ExceptionCode.NO_VENDOR,
        message="A has no vendor",
        refs=Refs(sku="A", shop=None),
        caused_by=Cause("/shops/main", "1", "OrderPlaced"),
    )
    data = json.loads(encode(raised, id="e1", cause_time=AT))["data"]
    assert data == {
        "code": "no_vendor",
        "message": "A has no vendor",
        "refs": {"sku": "A"},
        "caused_by": {"source": "/shops/main", "id": "1", "type": "OrderPlaced"},
    }


@pytest.mark.parametrize(
    ("moment", "text"),
    [
        (AT, "2026-11-21T10:00:00Z"),
        (AT.replace(microsecond=250_000), "2026-11-21T10:00:00.250000Z"),
        (AT.astimezone(timezone(timedelta(hours=-5))), "2026-11-21T10:00:00Z"),
    ],
)
def test_instants_are_written_in_utc_with_fractions_only_when_there_are_some(
    moment: datetime, text: str
) -> None:
    line = {"line_id": "1", "sku": "A", "was": None, "expected_at": moment.isoformat()}
    data = {"shop": "main", "order_id": "1", "lines": [line]}
    message = OUTBOUND["ExpectedDateChanged"].model_validate_json(json.dumps(data))
    document = json.loads(encode(message, id="e1", cause_time=moment))
    assert document["time"] == text
    assert document["data"]["lines"][0]["expected_at"] == text


def test_a_quantity_no_rule_could_mean_is_not_built() -> None:
    with pytest.raises(ValidationError, match="greater than or equal to 1"):
        ReleasedLine(line_id="1", sku="A", qty=0)


def test_an_address_leaves_as_it_came() -> None:
    address = {"b": [1, 2.5, None, {"z": 2**70}], "a": "ü", "lat": 52.0}
    message = _unmanaged_release().model_copy(update={"ship_to": address})
    assert json.loads(encode(message, id="e1", cause_time=AT))["data"]["ship_to"] == address


@pytest.mark.parametrize("kind", OUTBOUND)
def test_the_cloudevents_sdk_reads_what_we_write(kind: str) -> None:
    read = JSONFormat().read(None, encode(_built(kind), id="e1", cause_time=AT, subject="s"))
    attributes = read.get_attributes()
    assert (read.get_id(), read.get_source(), read.get_type()) == ("e1", "/backship", kind)
    assert (read.get_time(), read.get_subject()) == (AT, "s")
    assert attributes["datacontenttype"] == "application/json"
    assert read.get_data() == OUTBOUND_EXAMPLES[kind]


@pytest.mark.parametrize("kind", INBOUND)
def test_we_read_what_the_cloudevents_sdk_writes(kind: str) -> None:
    document = example(kind)
    sdk = JSONFormat()
    event = decode(sdk.write(sdk.read(None, json.dumps(document))))
    assert isinstance(event, Event)
    assert (event.source, event.id, event.type) == (document["source"], document["id"], kind)
    assert event == decode(json.dumps(document).encode())


@pytest.mark.parametrize("kind", INBOUND)
def test_a_message_in_is_published_from_python_as_it_was_read(kind: str) -> None:
    event = decode(json.dumps(example(kind)).encode())
    assert isinstance(event, Event)
    body = envelope_of(
        event.data, id=event.id, source=event.source, type=event.type, time=event.time
    )
    assert decode(body) == event


def test_a_change_built_in_python_keeps_what_it_clears() -> None:
    change = ItemChanged(sku="A", vendor=None, policy=PolicyChange(pack_size=None))
    body = envelope_of(change, id="1", source="/purchasing", type="ItemChanged")
    assert json.loads(body)["data"] == {"sku": "A", "vendor": None, "policy": {"pack_size": None}}


def test_a_price_beyond_64_bits_is_published_to_the_digit() -> None:
    line = {"line_id": "1", "sku": "Ü", "qty": 1, "unit_price": 2**70}
    data = {"shop": "main", "order_id": "1", "placed_at": AT, "lines": [line]}
    body = envelope_of(data, id="1", source="/shops/main", type="OrderPlaced", time=AT)
    assert json.loads(body)["data"] == data | {"placed_at": "2026-11-21T10:00:00Z"}
