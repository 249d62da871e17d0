"""The port of a worker: what it answers to whom, and that a taken one is one sentence."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import pytest

from console.trouble import Status, explain
from scripts.server import free_port
from tests.support.scrape import get, health
from workers.metrics_server import MetricsServer, PortTaken


@dataclass
class Answers:
    """Whatever a test says."""

    why_not_live: list[str] = field(default_factory=list)
    why_not_ready: list[str] = field(default_factory=list)

    def live(self) -> list[str]:
        return self.why_not_live

    def ready(self) -> list[str]:
        return self.why_not_ready


@contextmanager
def serving(answers: Answers) -> Iterator[int]:
    port = free_port()
    server = MetricsServer("127.0.0.1", port, lambda: b"a_total 1\n", answers)
    try:
        yield port
    finally:
        server.close()


def test_it_serves_metrics_health_and_nothing_else() -> None:
    with serving(Answers()) as port:
        assert get(port, "/metrics") == (200, b"a_total 1\n")
        assert health(port, "/healthz") == (200, [])
        assert health(port, "/readyz?verbose=1") == (200, [])
        assert get(port, "/") == (404, b"/metrics /healthz /readyz\n")


def test_each_question_has_its_own_answer_with_the_reasons() -> None:
    with serving(Answers(why_not_ready=["the database: gone", "it has no consumer"])) as port:
        assert health(port, "/healthz") == (200, [])
        assert health(port, "/readyz") == (503, ["the database: gone", "it has no consumer"])
    with serving(Answers(why_not_live=["the loop has not come round for 200 s"])) as port:
        assert health(port, "/healthz") == (503, ["the loop has not come round for 200 s"])


def test_a_port_that_is_taken_is_one_sentence_and_a_wrong_use() -> None:
    with serving(Answers()) as port:
        with pytest.raises(PortTaken) as taken:
            MetricsServer("127.0.0.1", port, lambda: b"", Answers())
        status, sentence = explain(taken.value)
        assert status is Status.WRONG_USE
        assert sentence == f"127.0.0.1:{port} can not be listened on: Address already in use."
        assert health(port, "/healthz") == (200, [])


def test_after_its_end_nobody_listens() -> None:
    with serving(Answers()) as port:
        pass
    assert health(port, "/healthz") == (0, [])
