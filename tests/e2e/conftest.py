"""What the tests of whole programs share: one run of the demo, which takes its time."""

import pytest

from tests.support.demo import Left, run_demo


@pytest.fixture(scope="session")
def left(tmp_path_factory: pytest.TempPathFactory) -> Left:
    """One run of the demo, looked at by every test that changes nothing."""
    return run_demo(tmp_path_factory.mktemp("demo"))
