"""What a worker serves on its port: the text of `/metrics` as samples, and the health answers."""

import time
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass

import orjson
from prometheus_client.parser import text_string_to_metric_families

SECONDS_MAX = 40.0


@dataclass(frozen=True)
class Scrape:
    """One look at `/metrics`."""

    samples: tuple[tuple[str, tuple[tuple[str, str], ...], float], ...]

    @property
    def names(self) -> set[str]:
        """Every name there is."""
        return {name for name, _labels, _value in self.samples}

    def total(self, name: str, **labels: str) -> float:
        """Sum up a name over all labels but those named."""
        wanted = set(labels.items())
        return sum(value for given, of, value in self.samples if given == name and wanted <= {*of})

    def by(self, name: str, label: str) -> dict[str, float]:
        """Sum up a name by one label."""
        found: dict[str, float] = {}
        for given, of, value in self.samples:
            if given == name:
                key = dict(of)[label]
                found[key] = found.get(key, 0.0) + value
        return found


def scrape(port: int) -> Scrape:
    """Look once."""
    _status, body = get(port, "/metrics")
    return samples_of(body.decode())


def samples_of(text: str) -> Scrape:
    """Read the text of `/metrics`."""
    return Scrape(
        tuple(
            (sample.name, tuple(sample.labels.items()), sample.value)
            for family in text_string_to_metric_families(text)
            for sample in family.samples
        )
    )


def health(port: int, path: str) -> tuple[int, list[str]]:
    """Return the status and the reasons of `/healthz` or `/readyz`; 0: nobody listens yet."""
    try:
        status, body = get(port, path)
    except (urllib.error.URLError, ConnectionError):
        return 0, []
    document = orjson.loads(body)
    assert document["ok"] == (status == 200) == (not document["reasons"])
    return status, document["reasons"]


def get(port: int, path: str) -> tuple[int, bytes]:
    """Ask; an answer that says no is an answer."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=10) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read()


def until(reached: Callable[[], bool], what: str) -> None:
    """Wait for something that happens in another process."""
    deadline = time.monotonic() + SECONDS_MAX
    while not reached():
        assert time.monotonic() < deadline, what
        time.sleep(0.05)
