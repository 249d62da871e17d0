"""The files an engine would read, checked without one: against each other and against the code.

The rights in `definitions.json` are tried on a real broker in `tests/integration/test_deploy.py`,
the commands of the Dockerfile in `tests/e2e/test_image.py`. Here: does every name in one file exist
in the other, and does a compose file hold only keys, and values in the forms, that compose knows.
"""

import base64
import hashlib
import json
import re
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest
import yaml

from workers.topology import topology

ROOT = Path(__file__).parent.parent.parent
DEFINITIONS: dict[str, Any] = json.loads(
    (ROOT / "deploy" / "rabbitmq" / "definitions.json").read_text()
)
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
TEST_SERVERS: dict[str, Any] = yaml.safe_load((ROOT / "scripts" / "test-servers.yml").read_text())
SETTINGS = dict(
    line.split("=", 1)
    for line in (ROOT / ".env.example").read_text().splitlines()
    if "=" in line and not line.startswith("#")
)

# ---------------------------------------------------------------- definitions.json


def test_the_definitions_hold_the_topology_and_one_queue_for_each_listener() -> None:
    declared = topology("backship")
    assert {
        (entry["name"], entry["type"], _as_text(entry["arguments"]))
        for entry in DEFINITIONS["exchanges"]
    } == {
        (exchange.name, exchange.kind, _as_text(exchange.arguments))
        for exchange in declared.exchanges
    }
    listening = _as_text({"x-queue-type": "quorum", "x-delivery-limit": 1_000_000})
    assert {(entry["name"], _as_text(entry["arguments"])) for entry in DEFINITIONS["queues"]} == {
        *((queue.name, _as_text(queue.arguments)) for queue in declared.queues),
        ("backship.shop.main", listening),
        ("backship.warehouse.WH1", listening),
    }
    assert {
        (entry["source"], entry["destination"], entry["routing_key"])
        for entry in DEFINITIONS["bindings"]
    } == {
        *((binding.exchange, binding.queue, binding.pattern) for binding in declared.bindings),
        ("backship.out", "backship.shop.main", "*.main.*"),
        ("backship.out", "backship.warehouse.WH1", "*.*.WH1"),
    }


def test_everything_on_the_broker_outlives_its_restart() -> None:
    for entry in (*DEFINITIONS["exchanges"], *DEFINITIONS["queues"]):
        assert entry["durable"], entry["name"]
        assert not entry["auto_delete"], entry["name"]


def test_the_documented_development_passwords_are_the_hashed_ones() -> None:
    for user in DEFINITIONS["users"]:
        salted = base64.b64decode(user["password_hash"])
        salt, digest = salted[:4], salted[4:]
        assert digest == hashlib.sha256(salt + f"{user['name']}-dev".encode()).digest()


def test_every_user_has_rights_and_only_known_users_have() -> None:
    users = {user["name"] for user in DEFINITIONS["users"]}
    assert {right["user"] for right in DEFINITIONS["permissions"]} == users
    assert {right["user"] for right in DEFINITIONS["topic_permissions"]} <= users


# ---------------------------------------------------------------- .env.example


def test_the_example_settings_name_users_and_passwords_that_exist() -> None:
    for name, user in (("BACKSHIP_BROKER_URL", "worker"), ("BACKSHIP_ADMIN_BROKER_URL", "admin")):
        url = urlsplit(SETTINGS[name])
        assert (url.username, unquote(url.password or "")) == (user, f"{user}-dev")
        assert (url.hostname, url.port) == ("rabbitmq", 5672)
        assert unquote(url.path[1:]) == DEFINITIONS["vhosts"][0]["name"]
    database = urlsplit(SETTINGS["BACKSHIP_DATABASE_URL"])
    postgres = COMPOSE["services"]["postgres"]["environment"]
    assert database.username == postgres["POSTGRES_USER"]
    assert database.password == SETTINGS["POSTGRES_PASSWORD"]
    assert database.path == f"/{postgres['POSTGRES_DB']}"
    assert database.hostname == "postgres"


def test_the_compose_file_asks_for_exactly_the_example_settings() -> None:
    text = (ROOT / "docker-compose.yml").read_text()
    assert set(re.findall(r"\$\{(\w+)", text)) == set(SETTINGS)


# ---------------------------------------------------------------- the compose files

TOP_LEVEL_KEYS = {"name", "services", "volumes", "x-backship"}
FORMS = {
    "build": r"\.",
    "cap_drop": list,
    "command": list,
    "depends_on": dict,
    "environment": dict,
    "healthcheck": dict,
    "hostname": r"[a-z]+",
    "image": r"[a-z]+:[\w.-]+",
    "ports": list,
    "read_only": bool,
    "restart": r"no|always|on-failure|unless-stopped",
    "security_opt": list,
    "stop_grace_period": r"\d+s",
    "tmpfs": list,
    "volumes": list,
}
HEALTHCHECK_FORMS = {
    "interval": r"\d+s",
    "retries": int,
    "start_period": r"\d+s",
    "test": list,
    "timeout": r"\d+s",
}
CONDITIONS = {"service_started", "service_healthy", "service_completed_successfully"}


@pytest.mark.parametrize("compose", [COMPOSE, TEST_SERVERS], ids=["docker-compose", "test-servers"])
def test_a_compose_file_holds_only_keys_compose_knows_in_their_forms(
    compose: dict[str, Any],
) -> None:
    assert set(compose) <= TOP_LEVEL_KEYS
    for name, service in compose["services"].items():
        _require_forms(service, FORMS, name)
        _require_forms(service.get("healthcheck", {}), HEALTHCHECK_FORMS, f"{name}.healthcheck")
        for other, how in service.get("depends_on", {}).items():
            assert other in compose["services"], f"{name} depends on {other}"
            assert how["condition"] in CONDITIONS
        for volume in service.get("volumes", ()):
            origin = volume.split(":")[0]
            if origin.startswith("."):
                assert (ROOT / origin).is_file(), f"{name} mounts {origin}"
            else:
                assert origin in compose["volumes"], f"{name} mounts {origin}"


def test_a_worker_starts_after_init_and_init_after_healthy_servers() -> None:
    services = COMPOSE["services"]
    for server in ("rabbitmq", "postgres"):
        assert "healthcheck" in services[server]
        assert services["init"]["depends_on"][server]["condition"] == "service_healthy"
    assert services["init"]["command"] == ["init"]
    started = services["worker"]["depends_on"]["init"]["condition"]
    assert started == "service_completed_successfully"


def test_workers_can_be_scaled_and_run_with_least_rights() -> None:
    worker = COMPOSE["services"]["worker"]
    assert {"container_name", "hostname", "ports"}.isdisjoint(worker), "two could not run at once"
    assert worker["read_only"] is True
    assert worker["cap_drop"] == ["ALL"]
    assert "admin" not in json.dumps(worker).lower()


def test_nothing_is_open_to_other_machines() -> None:
    for compose in (COMPOSE, TEST_SERVERS):
        for service in compose["services"].values():
            assert all(port.startswith("127.0.0.1:") for port in service.get("ports", ()))


# ---------------------------------------------------------------- the Dockerfile


def test_the_image_runs_without_rights_and_keeps_its_asserts() -> None:
    dockerfile = (ROOT / "Dockerfile").read_text()
    last_stage = dockerfile.rpartition("\nFROM ")[2]
    assert re.search(r"^USER 10001:10001$", last_stage, re.MULTILINE)
    assert "PYTHONOPTIMIZE" not in dockerfile
    assert not re.search(r"python3? .*-O", dockerfile)


def test_the_image_copies_what_the_context_holds_and_the_packages_are_all_of_it() -> None:
    dockerfile = (ROOT / "Dockerfile").read_text()
    copied = {
        word
        for line in re.findall(r"^COPY (?!--from)(.+) \S+$", dockerfile, re.MULTILINE)
        for word in line.split()
    }
    sent = {
        line[1:]
        for line in (ROOT / ".dockerignore").read_text().splitlines()
        if line.startswith("!")
    }
    assert copied == sent
    assert all((ROOT / name).exists() for name in copied)
    assert {"config", "console", "events", "handlers", "store", "workers"} <= copied


def _require_forms(given: dict[str, Any], forms: dict[str, Any], where: str) -> None:
    for key, value in given.items():
        assert key in forms, f"{where}.{key}"
        form = forms[key]
        if isinstance(form, str):
            assert re.fullmatch(form, value), f"{where}.{key}: {value}"
        else:
            assert isinstance(value, form), f"{where}.{key}: {value}"


def _as_text(arguments: object) -> str:
    return json.dumps(arguments, sort_keys=True)
