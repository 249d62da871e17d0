"""A plugin of pytest for `scripts.mutate`: few random examples, always the same, none made smaller.

Which example fails is nobody's question there, only whether one does.
"""

import pytest
from hypothesis import HealthCheck, Phase, settings


def few(parent: settings | None = None) -> settings:
    """Return these settings, and the rest as another's."""
    return settings(
        parent,
        max_examples=25,
        derandomize=True,
        database=None,
        deadline=None,
        phases=(Phase.explicit, Phase.generate),
        suppress_health_check=tuple(HealthCheck),
    )


def pytest_sessionstart() -> None:
    """Set what tests without settings of their own run with: they are collected after this."""
    settings.register_profile("few", few())
    settings.load_profile("few")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Say the same to machines, which may have settings of their own."""
    for item in items:
        case = getattr(item, "cls", None)
        if case is not None and isinstance(getattr(case, "settings", None), settings):
            case.settings = few(case.settings)
