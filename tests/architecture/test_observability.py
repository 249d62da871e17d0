"""What watches Backship speaks of what there is: dashboard, alerts, units, and the page on them.

Every metric that a query names is one a worker serves (or one of RabbitMQ's own, listed here),
every alert has a section in docs/operations.md and a row on the dashboard, and every unit is one
systemd accepts and gives a worker the time it needs.
"""

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client import CollectorRegistry, generate_latest

from config.settings import Settings
from events.inbound import INBOUND
from store import migrations
from tests.support.scrape import Scrape, samples_of
from tests.support.telling import deliver
from workers import supervisor
from workers.gauges import Gauges
from workers.health import Health
from workers.meter import BatchTold
from workers.metrics import Metrics
from workers.transports.base import PublishResult
from workers.wiring import opened

ROOT = Path(__file__).parent.parent.parent
ALERTS: list[dict[str, Any]] = yaml.safe_load((ROOT / "deploy/prometheus/alerts.yml").read_text())[
    "groups"
][0]["rules"]
DASHBOARD: dict[str, Any] = json.loads((ROOT / "deploy/grafana/backship.json").read_text())
PAGE = (ROOT / "docs/operations.md").read_text(encoding="utf-8")
UNITS = sorted((ROOT / "deploy/systemd").iterdir())

# The broker's own (plugin rabbitmq_prometheus), there since 3.10; and Prometheus's of a target.
OF_OTHERS = {
    "rabbitmq_global_messages_dead_lettered_delivery_limit_total",
    "rabbitmq_alarms_memory_used_watermark",
    "rabbitmq_alarms_free_disk_space_watermark",
    "up",
}


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Scrape:
    """What a worker serves to which everything has happened once."""
    file = tmp_path_factory.mktemp("served") / "backship.db"
    with opened(Settings(database_url=f"sqlite:///{file}")) as house:
        migrations.upgrade(house.database)
        house.transport.declare(house.topology)
        deliver(house.database, b"{")
        counted, shown = CollectorRegistry(), CollectorRegistry()
        meter = Metrics(house.clock, "embedded", "backship.inbox", "backship.out", counted)
        kinds = {(kind, "applied"): 1 for kind in INBOUND} | {("Strange", "unknown_type"): 1}
        stages = dict.fromkeys(("decode", "load", "decide", "save"), 0.1)
        meter.batch(BatchTold(9, kinds, 0.4, stages, 1.0, {"OrderPlaced": 5.0}))
        meter.late({("OrderCancelled", "applied"): 1})
        meter.acknowledged(0.1)
        meter.published(PublishResult(frozenset({"a"}), {"b": "unroutable"}), 0.1)
        meter.consumer_opened()
        meter.repeated("40P01")
        gauges = Gauges(house.database, house.transport, house.topology, Health(meter), house.clock)
        gauges.look()
        shown.register(gauges)
        return samples_of((generate_latest(counted) + generate_latest(shown)).decode())


# ---------------------------------------------------------------- names


@pytest.mark.parametrize("alert", ALERTS, ids=[alert["alert"] for alert in ALERTS])
def test_every_metric_of_an_alert_exists(alert: dict[str, Any], served: Scrape) -> None:
    named = set(metrics_of(alert["expr"]))
    assert named
    assert named <= served.names | OF_OTHERS


def test_every_metric_of_the_dashboard_exists_and_none_is_left_out(served: Scrape) -> None:
    named = {name for expr in queries_of(DASHBOARD["panels"]) for name in metrics_of(expr)}
    assert named <= served.names | OF_OTHERS
    bare = {re.sub(r"_(bucket|sum|count)$", "", name) for name in served.names}
    shown = {re.sub(r"_(bucket|sum|count)$", "", name) for name in named}
    assert bare - shown == set()


def test_every_label_a_query_filters_by_is_there_with_that_value(served: Scrape) -> None:
    everything = [*(alert["expr"] for alert in ALERTS), *queries_of(DASHBOARD["panels"])]
    for expr in everything:
        for name, label, value in re.findall(r'(\w+)\{[^}]*?(\w+)="([^"$]+)"[^}]*\}', expr):
            if name in OF_OTHERS:
                continue
            values = served.by(name, label)
            wanted = value in values or value in {"conflict", "broker_lost"}  # not seen just now
            assert wanted, f"{name}{{{label}={value}}}"


def test_the_page_lists_exactly_the_metrics_there_are(served: Scrape) -> None:
    rows = [
        line for line in PAGE.splitlines() if line.startswith(("| `messaging_", "| `backship_"))
    ]
    listed = {name for row in rows for name in re.findall(r"`(\w+)`", row.split("|")[1])}
    there = {re.sub(r"_(bucket|sum|count)$", "", name) for name in served.names}
    assert listed == there


def test_the_names_in_a_query_are_found() -> None:
    expr = 'sum(rate(a_total{x="y"}[5m])) by (le, type) / max(b) > 5 or absent(c{z!="w"})'
    assert list(metrics_of(expr)) == ["a_total", "b", "c"]


def test_no_label_grows_with_the_data(served: Scrape) -> None:
    allowed = {
        "messaging_system",
        "messaging_destination_name",
        "messaging_operation_name",
        "type",
        "outcome",
        "stage",
        "cause",
        "sqlstate",
        "reason",
        "queue",
        "version",
        "le",
    }
    assert {label for _name, labels, _value in served.samples for label, _of in labels} == allowed
    assert set(served.by("backship_events_total", "type")) == {*INBOUND, "unknown"}


# ---------------------------------------------------------------- alerts, page, dashboard


@pytest.mark.parametrize("alert", ALERTS, ids=[alert["alert"] for alert in ALERTS])
def test_every_alert_says_what_it_is_and_where_to_read_on(alert: dict[str, Any]) -> None:
    name = alert["alert"]
    assert set(alert) == {"alert", "expr", "for", "labels", "annotations"}
    assert alert["labels"]["severity"] in {"critical", "warning"}
    assert alert["annotations"]["summary"].endswith(".")
    assert alert["annotations"]["runbook_url"] == f"docs/operations.md#{name.lower()}"
    section = PAGE.partition(f"\n### {name}\n")[2].partition("\n### ")[0]
    assert "**What to do.**" in section
    assert alert["annotations"]["summary"] in section


def test_the_dashboard_has_a_row_for_each_alert_and_the_page_no_other() -> None:
    rows = [panel for panel in DASHBOARD["panels"] if panel["type"] == "row"]
    of_alerts = [f"{alert['alert']} ({alert['labels']['severity']})" for alert in ALERTS]
    assert [row["title"] for row in rows if row["collapsed"]] == of_alerts
    alarms = PAGE.partition("\n## Alarms\n")[2]
    assert re.findall(r"^### (\w+)$", alarms, re.MULTILINE) == [alert["alert"] for alert in ALERTS]


def test_the_dashboard_can_be_imported_as_it_is() -> None:
    (source, job) = DASHBOARD["templating"]["list"]
    assert (source["type"], source["name"], job["name"]) == ("datasource", "datasource", "job")
    panels = list(panels_of(DASHBOARD["panels"]))
    assert len({panel["id"] for panel in panels}) == len(panels)
    for panel in panels:
        if panel["type"] != "row":
            assert panel["datasource"] == {"type": "prometheus", "uid": "${datasource}"}
    assert "id" not in DASHBOARD  # else an import would overwrite another's


def test_prometheus_is_told_to_look_at_workers_and_to_read_the_alerts() -> None:
    told = yaml.safe_load((ROOT / "deploy/prometheus/prometheus.yml").read_text())
    assert told["rule_files"] == ["alerts.yml"]
    assert [job["job_name"] for job in told["scrape_configs"]] == ["backship", "rabbitmq"]


def test_every_link_of_the_page_leads_somewhere() -> None:
    titles = re.findall(r"^#+ (.+)$", PAGE, re.MULTILINE)
    anchors = {re.sub(r"[^\w\- ]", "", title).lower().replace(" ", "-") for title in titles}
    for target in re.findall(r"\]\(([^)]+)\)", PAGE):
        if target.startswith("#"):
            assert target[1:] in anchors, target
        else:
            assert (ROOT / "docs" / target).exists(), target


# ---------------------------------------------------------------- units


@pytest.mark.parametrize("unit", UNITS, ids=[unit.name for unit in UNITS])
def test_a_unit_is_complete(unit: Path) -> None:
    said = settings_of(unit)
    assert said["ExecStart"].startswith("/opt/backship/bin/backship ")
    assert said["EnvironmentFile"].removeprefix("-").startswith("/etc/backship/")
    assert (said["User"], said["NoNewPrivileges"], said["ProtectSystem"]) == (
        "backship",
        "yes",
        "strict",
    )
    assert said["CapabilityBoundingSet"] == ""
    if unit.name.startswith("backship-worker"):
        longest = Settings().shutdown_seconds_max + supervisor.GRACE_SECONDS
        assert int(said["TimeoutStopSec"]) > longest
        assert said["KillMode"] == "mixed"
        assert said["RestartPreventExitStatus"] == "2"
        assert "--metrics-port" in said["ExecStart"]
    else:
        assert (said["Type"], "WantedBy" in said) == ("oneshot", False)


@pytest.mark.parametrize("unit", UNITS, ids=[unit.name for unit in UNITS])
def test_systemd_accepts_a_unit(unit: Path, tmp_path: Path) -> None:
    verify = shutil.which("systemd-analyze")
    if verify is None:  # `test_a_unit_is_complete` has looked at what matters
        return
    name = unit.name.replace("@.", "@9464.")
    text = unit.read_text().replace("/opt/backship/bin/backship", "/bin/true")
    (tmp_path / name).write_text(text)
    done = subprocess.run(
        [verify, "verify", str(tmp_path / name)], capture_output=True, text=True, check=False
    )
    assert (done.returncode, [line for line in done.stderr.splitlines() if name in line]) == (0, [])


# ---------------------------------------------------------------- reading them


def metrics_of(expr: str) -> Iterator[str]:
    """Yield the names of metrics in PromQL: words that are no function, label, word or string."""
    text = re.sub(r'"[^"]*"', '""', expr)
    text = re.sub(r"\b(by|on|without|ignoring)\s*\([^)]*\)", " ", text)
    text = re.sub(r"\{[^}]*\}", " ", text)
    text = re.sub(r"\[[^\]]*\]", " ", text)
    for found in re.finditer(r"[A-Za-z_]\w*(?!\w)(?!\s*\()", text):
        if found.group() not in {"and", "or", "unless", "bool"}:
            yield found.group()


def panels_of(panels: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Yield every panel, those within a row as well."""
    for panel in panels:
        yield panel
        yield from panels_of(panel.get("panels", []))


def queries_of(panels: list[dict[str, Any]]) -> Iterator[str]:
    """Yield every query of a dashboard."""
    for panel in panels_of(panels):
        for target in panel.get("targets", []):
            yield target["expr"]


def settings_of(unit: Path) -> dict[str, str]:
    """Return the settings of a unit; of one that stands twice, the last."""
    pairs = re.findall(r"^(\w+)=(.*)$", unit.read_text(), re.MULTILINE)
    return dict(pairs)
