"""What an audit found, for a person or a program."""

from console import screen
from console.trouble import Status
from store.views.shapes import AuditView


def audit(view: AuditView, *, as_json: bool) -> int:
    """Show what was looked at and what differs."""
    differences = view["differences"]
    if as_json:
        screen.document(view)
    else:
        screen.table(
            "Looked at",
            ("what", "rows"),
            [(name.replace("_", " "), count) for name, count in view["checked"].items()],
        )
        screen.table(
            screen.counted(len(differences), "difference"),
            ("rule", "what", "sku", "place", "expected", "found", "about"),
            [
                (
                    row["rule"],
                    row["what"],
                    row["sku"],
                    row["place"],
                    row["expected"],
                    row["found"],
                    ", ".join(f"{name} {value}" for name, value in row["refs"].items()),
                )
                for row in differences
            ],
            nothing="Everything adds up.",
        )
    return Status.NOT_SO if differences else Status.DONE
