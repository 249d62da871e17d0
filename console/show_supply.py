"""Replenishments, for a person or a program."""

from collections.abc import Iterator
from itertools import islice

from console import screen
from console.trouble import Status
from store.views.shapes import ReplenishmentView


def replenishments(
    views: Iterator[ReplenishmentView], *, count_max: int | None, as_json: bool
) -> int:
    """List replenishments, one row for each; `replenishment ID` shows the lines."""
    if as_json:
        listed = islice(views, count_max) if count_max else views
        screen.documents(screen.json_text(view) for view in listed)
        return Status.DONE
    screen.first(
        "%s",
        "replenishment",
        ("id", "vendor", "to", "state", "expected (UTC)", "units", "outstanding"),
        (
            [
                (
                    view["replenishment_id"],
                    view["vendor"],
                    view["destination"],
                    view["state"].replace("_", " "),
                    view["expected_at"],
                    sum(line["qty"] for line in view["lines"]),
                    sum(line["outstanding"] for line in view["lines"]),
                )
            ]
            for view in views
        ),
        screen.SHOWN_MAX if count_max is None else count_max,
        nothing="Nothing is bought.",
    )
    return Status.DONE


def replenishment(name: str, view: ReplenishmentView | None, *, as_json: bool) -> int:
    """Show one replenishment, line by line."""
    if view is None:
        return screen.unknown(f"Replenishment {name}", as_json=as_json)
    if as_json:
        screen.document(view)
        return Status.DONE
    screen.facts(
        f"Replenishment {name}",
        [
            ("vendor", view["vendor"]),
            ("destination", view["destination"]),
            ("state", view["state"].replace("_", " ")),
            ("raised by", "automation" if view["automatic"] else "a buyer"),
            ("revision", view["revision"]),
            ("expected (UTC)", view["expected_at"]),
        ],
    )
    screen.table(
        "Lines",
        ("sku", "units", "received", "outstanding", "serves in this order"),
        [
            (
                line["sku"],
                line["qty"],
                line["received"],
                line["outstanding"],
                "\n".join(
                    f"{row['shop']}/{row['order_id']} line {row['line_id']}: {row['qty']:,}"
                    for row in line["covers"]
                ),
            )
            for line in view["lines"]
        ],
        nothing="It has no lines.",
    )
    return Status.DONE
