"""Routing keys (contract.md §4)."""

import json
from urllib.parse import unquote

import pytest

from events.envelope import Cause, Event
from events.examples import OUTBOUND_EXAMPLES
from events.inbound import INBOUND
from events.names import percent_encoded
from events.outbound import OUTBOUND, ExceptionRaised, Outbound, Refs, ReplenishmentRaised
from events.routing import has_wrong_origin, inbound_key, inbound_origin, origin_of, outbound_key
from events.vocabulary import ExceptionCode
from tests.support import builders

_IN = [
    (builders.order_placed("1", [("A", 1)], shop="main"), "OrderPlaced.main"),
    (builders.order_changed("1", [("A", 1)], shop="main"), "OrderChanged.main"),
    (builders.order_cancelled("1", shop="main"), "OrderCancelled.main"),
    (builders.order_hold_cleared("1", shop="main"), "OrderHoldCleared.main"),
    (builders.order_shipped("1", "S", "WH1", [("1", 1)]), "OrderShipped.WH1"),
    (builders.order_shipped("1", "S", "vendor:V", [("1", 1)]), "OrderShipped.vendor%3AV"),
    (builders.back_to_ship_requested("1", shop="main"), "BackToShipRequested.main"),
    (builders.line_backordered("1", ("1", 1), "WH1"), "LineBackordered.WH1"),
    (builders.stock_received("R", "DOCK", [("A", 1)], transfer_to="WH1"), "StockReceived.DOCK"),
    (builders.stock_transferred("T", "DOCK", "WH1", [("A", 1)]), "StockTransferred.DOCK"),
    (builders.stock_counted("C", "WH1", [("A", 1)]), "StockCounted.WH1"),
    (builders.stock_returned("X", "WH1", [("A", 1)], shop="main"), "StockReturned.WH1"),
    (builders.replenishment_closed("R"), "ReplenishmentClosed.purchasing"),
    (builders.replenishment_requested("V", [("A", 1)]), "ReplenishmentRequested.purchasing"),
    (builders.item_changed("A"), "ItemChanged.purchasing"),
    (builders.vendor_changed("V"), "VendorChanged.purchasing"),
    (builders.shop_changed("main"), "ShopChanged.main"),
    (builders.place_changed("DOCK"), "PlaceChanged.DOCK"),
]

_OUT = {
    "ReadyToShip": "ReadyToShip.main.WH1",
    "BackToShip": "BackToShip.main.WH1",
    "ReleaseCancelled": "ReleaseCancelled.main.WH1",
    "OrderBackordered": "OrderBackordered.main.-",
    "OrderRejected": "OrderRejected.main.-",
    "ExpectedDateChanged": "ExpectedDateChanged.main.-",
    "ReplenishmentRaised": "ReplenishmentRaised.LUMEN.DOCK",
    "ReplenishmentExtended": "ReplenishmentExtended.LUMEN.DOCK",
    "ReplenishmentReduced": "ReplenishmentReduced.LUMEN.DOCK",
    "ReplenishmentCancelled": "ReplenishmentCancelled.LUMEN.DOCK",
    "StockStatusChanged": "StockStatusChanged.main.-",
    "ExceptionRaised": "ExceptionRaised.-.DOCK",
}


def _built(kind: str, **changes: object) -> Outbound:
    return OUTBOUND[kind].model_validate_json(json.dumps({**OUTBOUND_EXAMPLES[kind], **changes}))


def _raised(**refs: str) -> ExceptionRaised:
    return ExceptionRaised(
        code=ExceptionCode.SURPLUS,
        message="too much",
        refs=Refs(**refs),
        caused_by=Cause("/shops/main", "1", "OrderCancelled"),
    )


@pytest.mark.parametrize(("event", "key"), _IN, ids=[key for _, key in _IN])
def test_an_event_in_is_published_by_who_tells_it(event: Event, key: str) -> None:
    assert inbound_key(event) == key
    assert origin_of(key) == inbound_origin(event.data)


def test_every_event_in_has_an_origin() -> None:
    assert {event.type for event, _ in _IN} == set(INBOUND)


@pytest.mark.parametrize(("kind", "key"), _OUT.items())
def test_an_event_out_is_published_by_whom_it_concerns(kind: str, key: str) -> None:
    assert outbound_key(_built(kind)) == key


def test_every_event_out_has_a_key() -> None:
    assert set(_OUT) == set(OUTBOUND)


def test_a_release_of_unmanaged_lines_names_no_place() -> None:
    assert outbound_key(_built("ReadyToShip", source=None)) == "ReadyToShip.main.-"


@pytest.mark.parametrize(
    ("refs", "key"),
    [
        ({}, "ExceptionRaised.-.-"),
        ({"shop": "main", "vendor": "V", "place": "WH1"}, "ExceptionRaised.main.WH1"),
        ({"vendor": "V", "sku": "A"}, "ExceptionRaised.V.-"),
        ({"place": "WH.1"}, "ExceptionRaised.-.WH%2E1"),
    ],
)
def test_an_exception_is_published_by_what_it_is_about(refs: dict[str, str], key: str) -> None:
    assert outbound_key(_raised(**refs)) == key


@pytest.mark.parametrize(
    ("name", "encoded"),
    [
        ("WH-1_a~Z9", "WH-1_a~Z9"),
        ("a.b", "a%2Eb"),
        ("a b", "a%20b"),
        ("*#", "%2A%23"),
        ("100%", "100%25"),
        ("Köln", "K%C3%B6ln"),
        ("customer:shop/1", "customer%3Ashop%2F1"),
    ],
)
def test_names_are_percent_encoded(name: str, encoded: str) -> None:
    assert percent_encoded(name) == encoded
    assert unquote(encoded) == name
    assert origin_of(f"OrderPlaced.{encoded}") == name
    event = builders.order_placed("1", [("A", 1)], shop=name)
    assert inbound_key(event) == f"OrderPlaced.{encoded}"


def test_a_drop_ship_destination_is_encoded_like_a_name() -> None:
    raised = _built("ReplenishmentRaised", destination="customer:shop/1")
    assert outbound_key(raised) == "ReplenishmentRaised.LUMEN.customer%3Ashop%2F1"


@pytest.mark.parametrize("order_id", ["x" * 200, "ü" * 200, "€" * 200, "a" + "ü" * 199])
def test_no_key_is_longer_than_the_broker_takes_and_no_escape_is_cut(order_id: str) -> None:
    destination = f"customer:{'s' * 100}/{order_id}"
    message = _built("ReplenishmentCancelled", vendor="v" * 100, destination=destination)
    assert isinstance(message, Outbound)
    key = outbound_key(message)
    assert len(key) <= 255
    kind, vendor, cut = key.split(".")
    assert (kind, vendor) == ("ReplenishmentCancelled", "v" * 100)
    assert percent_encoded(destination).startswith(cut)
    assert "%" not in cut[-2:]


def test_two_long_drop_ship_destinations_differ_in_their_messages_only() -> None:
    message = _built("ReplenishmentRaised", destination=f"customer:main/{'x' * 300}")
    assert isinstance(message, ReplenishmentRaised)
    assert message.destination.endswith("x" * 300)


@pytest.mark.parametrize(
    ("key", "origin"),
    [
        ("OrderPlaced.main", "main"),
        ("OrderPlaced.K%c3%b6ln", "Köln"),
        ("OrderPlaced", None),
        ("OrderPlaced.", None),
        ("", None),
        ("OrderPlaced.main.other", None),
    ],
)
def test_the_origin_is_the_one_word_after_the_type(key: str, origin: str | None) -> None:
    assert origin_of(key) == origin


@pytest.mark.parametrize(
    "event",
    [
        builders.order_placed("1", [("A", 1)]),
        builders.order_changed("1", [("A", 1)]),
        builders.order_cancelled("1"),
        builders.order_hold_cleared("1"),
    ],
    ids=lambda event: event.type,
)
def test_an_order_event_from_another_shop_has_the_wrong_origin(event: Event) -> None:
    assert not has_wrong_origin(event, f"{event.type}.main")
    assert not has_wrong_origin(event, f"{event.type}.m%61in")
    for key in ("other", "main.x", "MAIN", ""):
        assert has_wrong_origin(event, f"{event.type}.{key}")
    assert has_wrong_origin(event, event.type)


def test_of_other_events_the_origin_is_not_asked() -> None:
    assert not has_wrong_origin(builders.shop_changed("main"), "ShopChanged.other")
    assert not has_wrong_origin(builders.stock_received("R", "W", [("A", 1)]), "anything")
