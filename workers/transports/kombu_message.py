"""kombu messages whose bodies stay as they came.

kombu inflates a body with a `compression` header in the message's constructor, before anybody can
look at it: 194 KB became 200 MB. It does not when the message already has errors; so ours begins
with one and loses it again.
"""

from typing import Any

from kombu.message import Message


def keep_bodies(channel: Any) -> None:  # noqa: ANN401 - kombu has a class of channel per transport
    """Let this channel make messages that are never inflated."""
    channel.Message = type("UninflatedMessage", (_Uninflated, channel.Message), {})


class _Uninflated(Message):
    errors: Any = ("not inflated",)

    def __init__(self, *arguments: Any, **options: Any) -> None:  # noqa: ANN401 - handed on
        super().__init__(*arguments, **options)  # type: ignore[no-untyped-call]
        self.errors = []
