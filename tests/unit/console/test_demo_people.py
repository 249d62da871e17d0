"""The demo's shop, warehouse and buyer: each does what its docstring says, and in time."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from console.demo_agenda import Agenda
from console.demo_buyer import Buyer
from console.demo_data import Invoice, Line, Survey
from console.demo_draw import Draw
from console.demo_events import Telling
from console.demo_shop import Shop
from console.demo_warehouse import Warehouse
from events.codec import Malformed, decode
from events.envelope import Event
from events.routing import inbound_key

WEDNESDAY = datetime(2011, 3, 23, 10, 15, tzinfo=UTC)


def invoice(number: str, *lines: tuple[str, int], customer: str = "12583") -> Invoice:
    rows = [Line(sku, "CLOCK", qty, "3.75") for sku, qty in lines]
    return Invoice(number, WEDNESDAY, customer, "France", rows)


def shop_selling(*invoices: Invoice) -> Shop:
    survey = Survey()
    for each in invoices:
        for line in each.lines:
            survey.add(each.number, line, each.at, each.customer)
    return Shop(survey)


def heard(telling: Telling) -> Any:  # noqa: ANN401 - the data of any event
    """The telling as the engine reads it: what the codec refuses fails here."""
    message = telling.message()
    event = decode(message.body)
    assert isinstance(event, Event), event
    assert not isinstance(event, Malformed)
    assert message.routing_key == inbound_key(event)
    assert event.unknown_fields == ()
    return event.data


def units(data: Any, name: str = "line_id") -> dict[str, int]:  # noqa: ANN401 - as above
    return {getattr(line, name): line.qty for line in data.lines}


def released(units: Mapping[str, int]) -> list[dict[str, Any]]:
    """Lines as a release names them."""
    return [{"line_id": name, "sku": "22728", "qty": qty} for name, qty in units.items()]


class TestShop:
    def test_an_invoice_is_an_order_whose_repeated_skus_are_lines_of_their_own(self) -> None:
        order = heard(shop_selling().place(invoice("536370", ("22728", 24), ("22728", 6))))
        assert (order.shop, order.order_id, order.placed_at) == ("main", "536370", WEDNESDAY)
        assert [(line.line_id, line.sku, line.qty) for line in order.lines] == [
            ("1", "22728", 24),
            ("2", "22728", 6),
        ]

    def test_the_newest_earlier_line_loses_first_and_then_the_one_before(self) -> None:
        old, new, back = invoice("1", ("a", 5)), invoice("2", ("a", 5)), invoice("C3", ("a", -7))
        shop = shop_selling(old, new, back)
        shop.place(old)
        shop.place(new)
        first, second = (heard(telling) for telling in shop.take_back(back))
        assert (first.order_id, units(first)) == ("2", {"1": 5})
        assert (second.order_id, units(second)) == ("1", {"1": 2})
        assert (shop.taken_back.cancelled, shop.taken_back.unknown) == (7, 0)

    def test_what_was_shipped_comes_back_and_what_is_open_is_cancelled(self) -> None:
        sale, back = invoice("1", ("a", 10)), invoice("C2", ("a", -8))
        shop = shop_selling(sale, back)
        shop.place(sale)
        shop.note_shipped("1", "1", 6)
        cancelled, returned = (heard(telling) for telling in shop.take_back(back))
        assert units(cancelled) == {"1": 4}
        assert (returned.place, returned.order_id) == ("WH1", "1")
        assert units(returned, "sku") == {"a": 4}

    def test_nothing_is_taken_back_twice(self) -> None:
        sale, back = invoice("1", ("a", 3)), invoice("C2", ("a", -3), ("a", -3))
        shop = shop_selling(sale, back)
        shop.place(sale)
        [cancelled] = shop.take_back(back)
        assert units(heard(cancelled)) == {"1": 3}
        assert (shop.taken_back.unknown, shop.taken_back.lines_unknown) == (3, 1)

    @pytest.mark.parametrize(
        "back",
        [
            pytest.param(invoice("C2", ("b", -3)), id="another-sku"),
            pytest.param(invoice("C2", ("a", -3), customer="99999"), id="another-customer"),
            pytest.param(invoice("C2", ("a", -3), customer=""), id="nobody"),
        ],
    )
    def test_what_was_not_sold_is_counted_and_told_to_nobody(self, back: Invoice) -> None:
        sale = invoice("1", ("a", 5))
        shop = shop_selling(sale, back)
        shop.place(sale)
        assert list(shop.take_back(back)) == []
        assert (shop.taken_back.lines, shop.taken_back.lines_unknown) == (1, 1)

    def test_customers_nobody_names_are_not_one_customer(self) -> None:
        sale = invoice("1", ("a", 5), customer="")
        back = invoice("C2", ("a", -5), customer="")
        shop = shop_selling(sale, back)
        shop.place(sale)
        assert list(shop.take_back(back)) == []

    def test_rejected_units_can_not_be_cancelled(self) -> None:
        sale, back = invoice("1", ("a", 5)), invoice("C2", ("a", -5))
        shop = shop_selling(sale, back)
        shop.place(sale)
        shop.hear_rejected("1", "1", 5)
        assert list(shop.take_back(back)) == []

    def test_postage_that_was_shipped_is_money_and_no_goods(self) -> None:
        sale, back = invoice("1", ("POST", 2)), invoice("C2", ("POST", -2))
        shop = shop_selling(sale, back)
        shop.place(sale)
        shop.note_shipped("1", "1", 2)
        assert list(shop.take_back(back)) == []
        assert (shop.taken_back.fees, shop.taken_back.returned) == (2, 0)


def acts(agenda: Agenda, until: datetime) -> list[tuple[datetime, Any]]:
    """Everything planned to happen until then, with the data of what it tells."""
    done: list[tuple[datetime, Any]] = []
    while (act := agenda.next()) is not None and act.at <= until:
        agenda.take()
        done += [(act.at, heard(telling)) for telling in act.do(act.at)]
    return done


FAR = WEDNESDAY + timedelta(days=400)


class TestWarehouse:
    def house(self) -> Warehouse:
        return Warehouse(Agenda(), shop_selling())

    def test_what_is_released_is_shipped_at_five_on_the_next_day(self) -> None:
        house = self.house()
        house.hear_released("r1", "1", released({"1": 3}), WEDNESDAY)
        [(at, shipped)] = acts(house.agenda, FAR)
        assert at == datetime(2011, 3, 24, 17, tzinfo=UTC)
        assert (shipped.order_id, shipped.source, shipped.shipped_at) == ("1", "WH1", at)
        assert units(shipped) == {"1": 3}

    def test_two_releases_of_an_order_on_one_day_are_one_shipment(self) -> None:
        house = self.house()
        house.hear_released("r1", "1", released({"1": 3}), WEDNESDAY)
        house.hear_released("r2", "1", released({"1": 2, "2": 1}), WEDNESDAY)
        house.hear_released("r3", "2", released({"1": 9}), WEDNESDAY)
        first, second = (data for _at, data in acts(house.agenda, FAR))
        assert (units(first), units(second)) == ({"1": 5, "2": 1}, {"1": 9})
        assert house.shipped_units == 15

    def test_units_withdrawn_before_they_left_stay(self) -> None:
        house = self.house()
        house.hear_released("r1", "1", released({"1": 3, "2": 4}), WEDNESDAY)
        house.hear_withdrawn("r1", {"1": 3, "2": 1})
        [(_at, shipped)] = acts(house.agenda, FAR)
        assert units(shipped) == {"2": 3}

    def test_a_release_withdrawn_whole_is_no_shipment(self) -> None:
        house = self.house()
        house.hear_released("r1", "1", released({"1": 3}), WEDNESDAY)
        house.hear_withdrawn("r1", {"1": 3})
        assert acts(house.agenda, FAR) == []

    def test_goods_of_one_day_are_transferred_together_the_next_morning(self) -> None:
        house = self.house()
        arrived = datetime(2011, 3, 23, 13, tzinfo=UTC)
        for replenishment, qty in (("R-1", 4), ("R-2", 5)):
            [telling] = house.receive(replenishment, 1, {"a": qty, "gone": 0}, arrived)
            receipt = heard(telling)
            assert (receipt.place, receipt.replenishment_id) == ("DOCK1", replenishment)
            assert units(receipt, "sku") == {"a": qty}
        [(at, transfer)] = acts(house.agenda, FAR)
        assert at == datetime(2011, 3, 24, 7, tzinfo=UTC)
        assert (transfer.from_place, transfer.to) == ("DOCK1", "WH1")
        assert units(transfer, "sku") == {"a": 9}

    def test_nothing_that_arrives_is_no_receipt_and_no_transfer(self) -> None:
        house = self.house()
        assert list(house.receive("R-1", 1, {"a": 0}, WEDNESDAY)) == []
        assert house.agenda.next() is None

    def test_many_skus_are_several_messages(self) -> None:
        tellings = self.house().open({f"{n}": 1 for n in range(2_500)}, WEDNESDAY)
        assert [len(heard(telling).lines) for telling in tellings] == [1_000, 1_000, 500]


class Drawn(Draw):
    """A draw that is decided: everything arrives but what is named here."""

    def __init__(self, arrives: Mapping[str, int], slip: int | None = None) -> None:
        super().__init__()
        self.arrives = arrives
        self.slip = slip

    def arriving(self, replenishment_id: str, sku: str, qty: int) -> int:
        del replenishment_id
        return self.arrives.get(sku, qty)

    def slip_days(self, replenishment_id: str) -> int | None:
        del replenishment_id
        return self.slip


class TestBuyer:
    def buyer(self, draw: Draw, *skus: str) -> Buyer:
        survey = Survey(days={WEDNESDAY.date()})
        for sku in skus:
            survey.add("1", Line(sku, "CLOCK", 12, "1"), WEDNESDAY, "")
        agenda = Agenda()
        buyer = Buyer(agenda, Warehouse(agenda, Shop(survey)), draw)
        self.introduced = [heard(telling) for telling in buyer.introduce(survey, WEDNESDAY)]
        return buyer

    def test_everything_the_engine_must_know_is_told_before_the_first_order(self) -> None:
        buyer = self.buyer(Draw(), "22728", "21730", "POST")
        kinds = [type(data).__name__ for data in self.introduced]
        assert kinds.count("ItemChanged") == 3
        items = {data.sku: data for data in self.introduced if hasattr(data, "alternatives")}
        assert items["POST"].policy.manage_stock is False
        assert items["22728"].policy.lead_time_days == buyer.items["22728"].lead_time_days
        [received] = [data for data in self.introduced if hasattr(data, "receipt_id")]
        assert received.place == "WH1"
        assert units(received, "sku") == {
            sku: item.opening_units for sku, item in buyer.items.items() if item.opening_units
        }

    def test_a_replenishment_is_sent_on_the_next_monday_as_it_then_is(self) -> None:
        buyer = self.buyer(Drawn({}), "a")
        buyer.hear_asked("R-1", {"a": 12}, WEDNESDAY)
        buyer.hear_asked("R-1", {"a": 36}, WEDNESDAY + timedelta(days=1))
        days = buyer.items["a"].lead_time_days
        sent, received, _transfer = acts(buyer.agenda, FAR)
        assert sent[0] == datetime(2011, 3, 28, 8, tzinfo=UTC)
        assert (sent[1].replenishment_id, sent[1].outcome, sent[1].lines) == (
            "R-1",
            "finalized",
            None,
        )
        assert received[0] == datetime(2011, 3, 28, 13, tzinfo=UTC) + timedelta(days=days)
        assert units(received[1], "sku") == {"a": 36}

    def test_one_that_was_cancelled_before_monday_is_not_sent(self) -> None:
        buyer = self.buyer(Drawn({}), "a")
        buyer.hear_asked("R-1", {"a": 12}, WEDNESDAY)
        buyer.hear_asked("R-1", {}, WEDNESDAY)
        assert acts(buyer.agenda, FAR) == []

    def test_one_raised_on_monday_after_eight_goes_a_week_later(self) -> None:
        buyer = self.buyer(Drawn({}), "a")
        buyer.hear_asked("R-1", {"a": 12}, datetime(2011, 3, 28, 8, tzinfo=UTC))
        act = buyer.agenda.next()
        assert act is not None
        assert act.at == datetime(2011, 4, 4, 8, tzinfo=UTC)
        assert act.informed, "it acts on what the engine has said"

    def test_what_comes_short_is_given_up_the_day_after(self) -> None:
        buyer = self.buyer(Drawn({"a": 9}), "a")
        buyer.hear_asked("R-1", {"a": 12}, WEDNESDAY)
        (_, sent), (arrived_at, received), *rest = acts(buyer.agenda, FAR)
        assert sent.outcome == "finalized"
        assert units(received, "sku") == {"a": 9}
        [(at, closed)] = [row for row in rest if hasattr(row[1], "outcome")]
        assert closed.outcome == "short_closed"
        assert at.date() == arrived_at.date() + timedelta(days=1)
        assert (buyer.sent, buyer.given_up) == (1, 1)

    def test_skus_with_other_lead_times_arrive_in_parts_and_are_given_up_after_the_last(
        self,
    ) -> None:
        draw = Drawn({})
        skus = [f"s{number}" for number in range(40)]
        buyer = self.buyer(draw, *skus)
        leads = {buyer.items[sku].lead_time_days for sku in skus}
        assert len(leads) > 2
        buyer.hear_asked("R-1", dict.fromkeys(skus, 6), WEDNESDAY)
        done = acts(buyer.agenda, FAR)
        receipts = [data for _at, data in done if hasattr(data, "receipt_id")]
        assert len(receipts) == len(leads)
        assert sorted(sku for data in receipts for sku in units(data, "sku")) == sorted(skus)
        assert not [data for _at, data in done if getattr(data, "outcome", "") == "short_closed"]

    def test_a_vendor_confirms_what_was_asked_at_the_date_it_arrives(self) -> None:
        buyer = self.buyer(Drawn({}, slip=4), "a")
        buyer.hear_asked("R-1", {"a": 12}, WEDNESDAY)
        (sent_at, sent), (arrived_at, _receipt), *_rest = acts(buyer.agenda, FAR)
        [line] = sent.lines
        [part] = line.parts
        days = buyer.items["a"].lead_time_days + 4
        assert (line.sku, part.qty) == ("a", 12)
        assert part.expected_at == sent_at + timedelta(days=days)
        assert arrived_at.date() == part.expected_at.date()
