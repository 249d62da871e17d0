"""Every expected "no" to a whole event, by name.

What is refused of an event that has its effect otherwise is an exception (`refused`), told where it
is decided.
"""

from handlers.decision import SetAside


def conflict(message: str) -> SetAside:
    """Set aside a second version of something that has its effect already (C4, C2)."""
    return SetAside("conflict", "data", message)


def not_found_in_time() -> SetAside:
    """Set aside an event that waited too long for what it names (C3)."""
    return SetAside("not_found_in_time", None, "what it names has not come in time")
