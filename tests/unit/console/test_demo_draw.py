"""What is drawn for the demo: the same with the same seed, and as often as is said."""

import csv

from console.demo_draw import SUPPLY, Draw

SKUS = [f"sku{number}" for number in range(5_000)]


def test_the_same_seed_draws_the_same_whatever_else_is_drawn() -> None:
    one, other = Draw(7), Draw(7)
    other.item("another", 3.0)
    assert [one.item(sku, 10.0) for sku in SKUS[:50]] == [
        other.item(sku, 10.0) for sku in reversed(SKUS[:50])
    ][::-1]
    assert one.slip_days("R-1") == other.slip_days("R-1")
    assert one.arriving("R-1", "a", 500) == other.arriving("R-1", "a", 500)


def test_another_seed_draws_something_else() -> None:
    assert [Draw(1).item(sku, 10.0) for sku in SKUS[:50]] != [
        Draw(2).item(sku, 10.0) for sku in SKUS[:50]
    ]


def test_vendors_lead_times_and_least_quantities_are_those_of_adventureworks() -> None:
    with SUPPLY.open(encoding="utf-8", newline="") as file:
        rows = {
            (row["vendor"], int(row["lead_time_days"]), int(row["min_order_qty"]))
            for row in csv.DictReader(file)
            if row["active"] == "1"
        }
    items = [item for sku in SKUS if (item := Draw().item(sku, 10.0)).vendor is not None]
    drawn = {
        (item.vendor.code, item.lead_time_days, item.min_order_qty)
        for item in items
        if item.vendor is not None
    }
    assert drawn <= rows
    assert len(drawn) > len(rows) / 2


def test_nobody_sells_what_a_vendor_that_is_not_active_sold() -> None:
    without = sum(Draw().item(sku, 10.0).vendor is None for sku in SKUS)
    assert 0.03 < without / len(SKUS) < 0.05  # 17 of the 426 rows
    assert all(vendor.active for vendor in Draw().vendors())


def test_a_fifth_has_run_out_and_the_rest_has_weeks_of_sales() -> None:
    opening = [Draw().item(sku, 100.0).opening_units for sku in SKUS]
    assert 0.18 < opening.count(0) / len(SKUS) < 0.22
    assert all(100 <= units <= 800 for units in opening if units)


def test_what_is_not_sold_has_no_stock() -> None:
    assert all(Draw().item(sku, 0.0).opening_units == 0 for sku in SKUS[:100])


def test_four_of_a_hundred_arrivals_are_short_and_none_is_over() -> None:
    arrived = [Draw().arriving("R-1", sku, 100) for sku in SKUS]
    short = [units for units in arrived if units != 100]
    assert 0.03 < len(short) / len(arrived) < 0.05
    assert all(50 <= units < 100 for units in short)
    assert {Draw().arriving("R-1", sku, 1) for sku in SKUS} == {0, 1}


def test_some_vendors_confirm_a_date_at_most_five_days_late() -> None:
    slips = [Draw().slip_days(f"R-{number}") for number in range(2_000)]
    assert 0.27 < sum(slip is not None for slip in slips) / len(slips) < 0.33
    assert {slip for slip in slips if slip is not None} == set(range(6))


def test_some_skus_may_not_wait_some_only_so_many_and_some_are_told_of() -> None:
    items = [Draw().item(sku, 10.0) for sku in SKUS]
    policies = [item.backorder_policy for item in items]
    assert 0 < policies.count("none") / len(SKUS) < 0.04
    assert 0.08 < policies.count("notify") / len(SKUS) < 0.12
    assert {item.backorder_limit for item in items} == {None, 10}
