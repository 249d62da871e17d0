"""The commands for what was set aside: list, show, retry, discard (contract.md §6)."""

from typing import Annotated, Literal

import typer

Json = Annotated[bool, typer.Option("--json", help="Print one JSON document and nothing else.")]

SetAsideReason = Literal[
    "malformed",
    "too_large",
    "unknown_type",
    "wrong_origin",
    "conflict",
    "not_found_in_time",
    "gave_up",
    "crashed_worker",
]
SetAsideState = Literal["set_aside", "retrying", "resolved", "discarded"]

Reason = Annotated[
    SetAsideReason | None, typer.Option("--reason", help="Only those with this reason.")
]
Type = Annotated[str, typer.Option("--type", help="Only events of this type.")]
Ids = Annotated[
    list[str] | None, typer.Argument(metavar="[ID]...", help="As `dead list` names them.")
]
All = Annotated[bool, typer.Option("--all", help="Everything that is set aside.")]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask before --all.")]
DryRun = Annotated[
    bool, typer.Option("--dry-run", help="Show what would be done, and change nothing.")
]
By = Annotated[
    str, typer.Option("--by", metavar="NAME", help="Who does it; else the user of this machine.")
]

WAIT_SECONDS_MAX = 60.0


def declare(app: typer.Typer) -> None:
    """Add the commands to the program, in the order in which `--help` lists them."""
    dead = typer.Typer(help="Events that were set aside.", rich_markup_mode=None)
    dead.command("list")(list_)
    dead.command("show")(show)
    dead.command("retry")(retry)
    dead.command("discard")(discard)
    app.add_typer(dead, name="dead")


def list_(
    *,
    reason: Reason = None,
    kind: Type = "",
    state: Annotated[SetAsideState, typer.Option(help="Only those in this state.")] = "set_aside",
    as_json: Json = False,
) -> int:
    """List what was set aside, grouped by reason, type and field."""
    from console import show_dead
    from console.looking import looking
    from store.views.dead import dead_groups, dead_list

    with looking() as (tx, _rules, _now):
        groups = [] if as_json else dead_groups(tx, state=state, reason=reason or "", kind=kind)
        rows = dead_list(tx, state=state, reason=reason or "", kind=kind)
        return show_dead.listed(groups, rows, as_json=as_json)


def show(
    key: Annotated[str, typer.Argument(metavar="ID")],
    *,
    copy: Annotated[
        bool, typer.Option("--copy", help="Print a copy to be corrected and published.")
    ] = False,
    new_id: Annotated[
        str, typer.Option("--new-id", metavar="ID", help="The id of the copy's event.")
    ] = "",
    as_json: Json = False,
) -> int:
    """Show one event that was set aside: why, what was done about it, and its body."""
    from console import show_dead
    from console.looking import looking
    from store.views.dead import dead_show

    with looking() as (tx, _rules, _now):
        row = dead_show(tx, key)
    if copy:
        return show_dead.copy(key, row, new_id)
    return show_dead.shown(key, row, as_json=as_json)


def retry(  # noqa: PLR0913 - one for each option
    ids: Ids = None,
    *,
    reason: Reason = None,
    kind: Type = "",
    every: All = False,
    dry_run: DryRun = False,
    rate: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="At most N events a second.")
    ] = None,
    wait: Annotated[
        bool, typer.Option("--wait", help="Wait until workers have tried them; 1 if any failed.")
    ] = False,
    seconds_max: Annotated[
        float, typer.Option(min=0, metavar="S", help="How long to wait.")
    ] = WAIT_SECONDS_MAX,
    why: Annotated[str, typer.Option("--why", help="For the history.")] = "",
    by: By = "",
    yes: Yes = False,
    as_json: Json = False,
) -> int:
    """Have events tried again by the workers; an event that has its effect has it once."""
    from console.mending import Request, mend

    return mend(
        Request(
            action="retry",
            ids=ids or [],
            reason=reason or "",
            kind=kind,
            every=every,
            dry_run=dry_run,
            rate=rate,
            wait_seconds_max=seconds_max if wait else None,
            why=why,
            operator=by,
            yes=yes,
            as_json=as_json,
        )
    )


def discard(  # noqa: PLR0913 - one for each option
    ids: Ids = None,
    *,
    why: Annotated[str, typer.Option("--why", help="For the history.")],
    reason: Reason = None,
    kind: Type = "",
    every: All = False,
    dry_run: DryRun = False,
    by: By = "",
    yes: Yes = False,
    as_json: Json = False,
) -> int:
    """Give events up for good; the same again stays discarded."""
    from console.mending import Request, mend

    return mend(
        Request(
            action="discard",
            ids=ids or [],
            reason=reason or "",
            kind=kind,
            every=every,
            dry_run=dry_run,
            why=why,
            operator=by,
            yes=yes,
            as_json=as_json,
        )
    )
