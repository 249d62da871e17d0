"""The commands that only look: at orders, stock, supply, and what was told.

What nobody knows by the name given: exit 1, and `null` for programs (contract.md §6).
"""

from typing import Annotated, Literal

import typer

from console.trouble import WrongUse

Limit = Annotated[
    int | None,
    typer.Option(min=0, help="At most so many; 0 is all. A table shows 100, --json tells all."),
]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON document and nothing else.")]

ReplenishmentState = Literal[
    "open", "finalized", "partially_received", "received", "closed", "cancelled"
]


def declare(app: typer.Typer) -> None:
    """Add the commands to the program, in the order in which `--help` lists them."""
    for command in (
        status,
        order,
        explain,
        stock,
        backorders,
        replenishments,
        replenishment,
        exceptions,
        emitted,
        audit,
    ):
        app.command()(command)


def status(
    *,
    watch: Annotated[
        bool, typer.Option("--watch", help="Look again every 2 seconds, until Ctrl-C.")
    ] = False,
    as_json: Json = False,
) -> int:
    """Tell whether all is well, and if not what to do."""
    from console.status import show

    return show(watch=watch, as_json=as_json)


def order(
    name: Annotated[str, typer.Argument(metavar="SHOP/ID", help="As in main/100000123.")],
    *,
    as_json: Json = False,
) -> int:
    """Show an order: what of it is allocated, what waits and until when."""
    from console import show_orders
    from console.looking import looking
    from store.views.orders import order as view

    keys = _order_keys(name)
    with looking() as (tx, rules, now):
        views = (view(tx, rules, *key, now) for key in keys)
        found = next((one for one in views if one is not None), None)
        return show_orders.order(name, found, as_json=as_json)


def explain(
    name: Annotated[str, typer.Argument(metavar="SHOP/ID", help="As in main/100000123.")],
    *,
    as_json: Json = False,
) -> int:
    """Tell the story of an order: what was decided when, by which rule and event."""
    from console import show_story
    from console.looking import looking
    from store.views.story import story as view

    keys = _order_keys(name)
    with looking() as (tx, _rules, _now):
        views = (view(tx, *key) for key in keys)
        found = next((one for one in views if one is not None), None)
        return show_story.explain(name, found, as_json=as_json)


def _order_keys(name: str) -> list[tuple[str, str]]:
    """Return every way to read a name as shop and id; either may hold a slash itself.

    The first that names an order is the one.
    """
    parts = name.split("/")
    if len(parts) == 1:
        raise WrongUse(f"{name} names no order; it takes SHOP/ID, as in main/100000123.")
    return [("/".join(parts[:n]), "/".join(parts[n:])) for n in range(1, len(parts))]


def stock(sku: Annotated[str, typer.Argument(metavar="SKU")], *, as_json: Json = False) -> int:
    """Show a sku: what there is of it and where, what waits, what is coming."""
    from console import show_orders
    from console.looking import looking
    from store.views.stock import stock as view

    with looking() as (tx, rules, now):
        return show_orders.stock(sku, view(tx, rules, sku, now), as_json=as_json)


def backorders(  # noqa: PLR0913 - one for each option
    *,
    shop: Annotated[str, typer.Option(help="Only orders of this shop.")] = "",
    sku: Annotated[str, typer.Option(help="Only orders that wait for this sku.")] = "",
    vendor: Annotated[str, typer.Option(help="Only orders that wait for goods of this one.")] = "",
    source: Annotated[str, typer.Option(help="Only orders this source may serve.")] = "",
    ready: Annotated[
        bool,
        typer.Option("--ready", help="What is allocated and waits for a person, a hold, the rest."),
    ] = False,
    limit: Limit = None,
    as_json: Json = False,
) -> int:
    """List the orders that wait, in queue order."""
    from console import show_orders
    from console.looking import looking
    from store.views.backorders import Wanted
    from store.views.backorders import backorders as view

    wanted = Wanted(shop, sku, vendor, source, ready)
    with looking() as (tx, rules, now):
        found = view(tx, rules, wanted, now)
        return show_orders.backorders(found, count_max=limit, as_json=as_json)


def replenishments(
    *,
    state: Annotated[ReplenishmentState | None, typer.Option(help="Only those in it.")] = None,
    vendor: Annotated[str, typer.Option(help="Only those of this vendor.")] = "",
    limit: Limit = None,
    as_json: Json = False,
) -> int:
    """List what is bought, and which lines it will serve."""
    from console import show_supply
    from console.looking import looking
    from store.views.supply import Chosen
    from store.views.supply import replenishments as view

    chosen = Chosen(state=state or "", vendor=vendor)
    with looking() as (tx, rules, now):
        found = view(tx, rules, chosen, now, covers=as_json)
        return show_supply.replenishments(found, count_max=limit, as_json=as_json)


def replenishment(
    replenishment_id: Annotated[str, typer.Argument(metavar="ID")], *, as_json: Json = False
) -> int:
    """Show one replenishment, and which lines it will serve."""
    from console import show_supply
    from console.looking import looking
    from store.views.supply import Chosen
    from store.views.supply import replenishments as view

    with looking() as (tx, rules, now):
        found = view(tx, rules, Chosen(replenishment_id), now) if replenishment_id else iter(())
        return show_supply.replenishment(replenishment_id, next(found, None), as_json=as_json)


def exceptions(*, as_json: Json = False) -> int:
    """List what a person must look at, in the order it happened."""
    from console import show_messages
    from console.looking import looking
    from store.views.history import exceptions as view

    with looking() as (tx, _rules, _now):
        return show_messages.exceptions(view(tx), as_json=as_json)


def emitted(
    *,
    kind: Annotated[str, typer.Option("--type", help="Only events of this type.")] = "",
    since: Annotated[
        str, typer.Option(metavar="TIME", help="Only since 2026-11-21T10:00:00Z, or a day.")
    ] = "",
    as_json: Json = False,
) -> int:
    """List what was emitted, in the order of decision."""
    from console import show_messages
    from console.looking import looking, moment
    from store.views.history import EVER
    from store.views.history import emitted as view

    after = moment(since) if since else EVER
    with looking() as (tx, _rules, _now):
        return show_messages.emitted(view(tx, kind=kind, since=after), as_json=as_json)


def audit(*, as_json: Json = False) -> int:
    """Derive every counter again and list what differs; exit 1 if anything does."""
    from console import show_audit
    from console.looking import looking
    from console.progress import progress
    from store.audit.inspection import inspect
    from workers.clock import SystemClock

    def tell(done: int, total: int) -> None:
        shown.reached(done, total, f"{done:,} of {total:,} skus")

    with looking(audit=True) as (tx, rules, _now), progress("audit", SystemClock()) as shown:
        found = inspect(tx, rules, tell)
    return show_audit.audit(found, as_json=as_json)
