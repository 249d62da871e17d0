"""Orders and stock, for a person or a program."""

from collections.abc import Iterator
from itertools import islice

from console import screen
from console.trouble import Status
from store.views.shapes import BackorderView, OrderView, StockView

# One column each, where any line has some.
_RARE = ("pending", "drop_ship", "shipped", "cancelled", "rejected")


def order(name: str, view: OrderView | None, *, as_json: bool) -> int:
    """Show an order."""
    if view is None:
        return screen.unknown(f"Order {name}", as_json=as_json)
    if as_json:
        screen.document(view)
        return Status.DONE
    screen.facts(
        f"Order {name}",
        [
            ("status", view["status"]),
            ("restocked", view["restock_status"] or "never short"),
            ("holds", ", ".join(view["holds"])),
            ("expected (UTC)", view["expected_at"]),
        ],
    )
    rare = [column for column in _RARE if any(line[column] for line in view["lines"])]  # type: ignore[literal-required]
    screen.table(
        "Lines",
        (
            *("line", "sku", "ordered", "allocated", "released", "waiting"),
            *(column.replace("_", " ") for column in rare),
            *("expected (UTC)", "from"),
        ),
        [
            (
                line["line_id"],
                line["sku"],
                line["ordered"],
                line["allocated"],
                line["released"],
                line["shortage"],
                *(line[column] for column in rare),  # type: ignore[literal-required]
                line["expected_at"],
                ", ".join(
                    f"{units['source'] or 'anywhere'}: {units['qty']:,}"
                    for units in line["allocations"]
                ),
            )
            for line in view["lines"]
        ],
    )
    return Status.DONE


def backorders(views: Iterator[BackorderView], *, count_max: int | None, as_json: bool) -> int:
    """List orders that wait; one row for each line."""
    if as_json:
        listed = islice(views, count_max) if count_max else views
        screen.documents(screen.json_text(view) for view in listed)
        return Status.DONE
    screen.first(
        "Waiting: %s",
        "order",
        ("order", "placed (UTC)", "restocked", "expected (UTC)", "line", "sku", "waiting"),
        (
            [
                (
                    f"{view['shop']}/{view['order_id']}",
                    view["placed_at"],
                    view["restock_status"],
                    view["expected_at"],
                    line["line_id"],
                    line["sku"],
                    line["shortage"],
                )
                for line in view["lines"]
            ]
            for view in views
        ),
        screen.SHOWN_MAX if count_max is None else count_max,
        nothing="No order waits.",
    )
    return Status.DONE


def stock(sku: str, view: StockView | None, *, as_json: bool) -> int:
    """Show a sku."""
    if view is None:
        return screen.unknown(f"Sku {sku}", as_json=as_json)
    if as_json:
        screen.document(view)
        return Status.DONE
    screen.facts(
        f"Sku {sku}",
        [
            ("on hand", view["on_hand"]),
            ("allocated", view["allocated"]),
            ("available", view["available"]),
            ("waiting", view["shortage"]),
            ("incoming", view["incoming"]),
            ("net position", view["net_position"]),
        ],
    )
    screen.table(
        "Places",
        ("place", "kind", "on hand", "allocated", "available"),
        [
            (row["place"], row["kind"], row["on_hand"], row["allocated"], row["available"])
            for row in view["places"]
        ],
        nothing="It has never been anywhere.",
    )
    screen.table(
        "Shops may sell",
        ("shop", "units"),
        [(shop, "no limit" if n is None else n) for shop, n in view["sellable"].items()],
        nothing="No shop is known.",
    )
    return Status.DONE
