"""What the image would do, without an engine: its build commands, then its programs as its user.

The build stage of the Dockerfile is carried out command by command, with `/opt` and `/src` moved
into a scratch folder: locked packages with hashes, the wheel, nothing from the checkout. Then the
compose file's two commands run from there, unprivileged where the tests may give their rights up,
with the users of `definitions.json`: the administrator initialises, the worker works.
Not tried: the base image, the second stage's account, the engine itself.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.deployment import Deployment, imported_definitions

ROOT = Path(__file__).parent.parent.parent
UNPRIVILEGED = 10001

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]


@pytest.fixture(scope="module")
def image() -> Iterator[Path]:
    """A folder that holds what the image holds, readable by everybody like the image."""
    folder = Path(tempfile.mkdtemp(prefix="backship-image-"))
    folder.chmod(0o755)
    try:
        _build(folder)
        yield folder
    finally:
        shutil.rmtree(folder)


@pytest.fixture
def deployment() -> Iterator[Deployment]:
    with imported_definitions() as imported:
        yield imported


def test_the_image_holds_backship_and_no_installer(image: Path) -> None:
    assert "Usage" in _backship(image, "--help")
    programs = {path.name for path in (image / "opt" / "backship" / "bin").iterdir()}
    assert "backship" in programs
    assert not {name for name in programs if name.startswith("pip")}


@pytest.mark.broker
def test_the_compose_commands_bring_an_order_through_with_least_rights(
    image: Path, deployment: Deployment, postgres_database_url: str
) -> None:
    database = {"BACKSHIP_DATABASE_URL": postgres_database_url}
    as_admin = database | {"BACKSHIP_BROKER_URL": deployment.url_of("admin")}
    as_worker = database | {"BACKSHIP_BROKER_URL": deployment.url_of("worker")}
    _backship(image, "init", settings=as_admin)
    _publish(deployment, "admin", "/operators/ann", "PlaceChanged.WH1", place="WH1", kind="source")
    _publish(
        deployment, "admin", "/operators/ann", "ShopChanged.main", shop="main", sources=["WH1"]
    )
    _publish(
        deployment, "warehouse-wh1", "/places/WH1", "StockReceived.WH1",
        receipt_id="R1", place="WH1", lines=[{"sku": "MUG", "qty": 5}],
    )  # fmt: skip
    _publish(
        deployment, "shop-main", "/shops/main", "OrderPlaced.main",
        shop="main", order_id="1", placed_at="2026-11-21T10:00:00Z",
        lines=[{"line_id": "1", "sku": "MUG", "qty": 2}],
    )  # fmt: skip
    _backship(image, "worker", "--burst", settings=as_worker)
    assert deployment.take_all("worker", "backship.inbox") == []
    told = [
        json.loads(body) for body in deployment.take_all("warehouse-wh1", "backship.warehouse.WH1")
    ]
    assert [(event["type"], event["data"]["lines"]) for event in told] == [
        ("ReadyToShip", [{"line_id": "1", "sku": "MUG", "qty": 2}])
    ]


def _publish(
    deployment: Deployment, user: str, source: str, routing_key: str, **data: object
) -> None:
    event = {
        "specversion": "1.0",
        "id": routing_key,
        "source": source,
        "type": routing_key.partition(".")[0],
        "time": "2026-11-21T10:00:00Z",
        "data": data,
    }
    with deployment.channel(user) as channel:
        channel.basic_publish(
            "backship.in", routing_key, json.dumps(event).encode(), mandatory=True
        )


def _backship(image: Path, *words: str, settings: dict[str, str] | None = None) -> str:
    """Run the entry point as the image would, in a folder its user owns."""
    unprivileged = UNPRIVILEGED if os.geteuid() == 0 and _open_to_all(_python()) else None
    home = image / "var"
    home.mkdir(exist_ok=True)
    if unprivileged is not None:
        os.chown(home, unprivileged, unprivileged)
    done = subprocess.run(
        [image / "opt" / "backship" / "bin" / "backship", *words],
        user=unprivileged,
        group=unprivileged,
        extra_groups=[] if unprivileged is not None else None,
        cwd=home,
        env={"PATH": os.defpath, "PYTHONDONTWRITEBYTECODE": "1", **(settings or {})},
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


# ---------------------------------------------------------------- the build stage


def _build(folder: Path) -> None:
    """Carry out the first stage's ENV, WORKDIR, COPY and RUN below that folder."""
    base = folder / "base"
    base.mkdir()
    (base / "python").symlink_to(_python())
    environment = {**os.environ, "PATH": f"{base}:{os.environ['PATH']}"}
    environment.pop("VIRTUAL_ENV", None)
    here = folder
    for word, rest in _first_stage():
        if word == "ENV":
            environment |= dict(pair.split("=", 1) for pair in rest.split())
        elif word == "WORKDIR":
            here = folder / rest.lstrip("/")
            here.mkdir(parents=True)
        elif word == "COPY":
            *names, target = rest.split()
            for name in names:
                _copy(ROOT / name, here / target if target != "./" else here / name)
        else:
            assert word == "RUN", word
            command = re.sub(r"(?<![\w.])/(opt|src)\b", rf"{folder}/\1", rest)
            done = subprocess.run(
                ["sh", "-c", command], cwd=here, env=environment,
                capture_output=True, text=True, check=False,
            )  # fmt: skip
            assert done.returncode == 0, f"{rest}\n{done.stdout}\n{done.stderr}"


def _python() -> Path:
    """The interpreter in the place of the base image's: one everybody may run, if there is one."""
    own = (Path(sys.base_prefix) / "bin" / "python3").resolve()
    system = Path("/usr/bin/python3").resolve()
    return system if not _open_to_all(own) and _makes_venvs(system) else own


def _makes_venvs(python: Path) -> bool:
    asked = "import sys, ensurepip, venv; sys.exit(sys.version_info < (3, 11))"
    return python.is_file() and subprocess.run([python, "-c", asked], check=False).returncode == 0


def _open_to_all(program: Path) -> bool:
    return all(path.stat().st_mode & 0o001 for path in (program, *program.parents))


def _first_stage() -> list[tuple[str, str]]:
    text = (ROOT / "Dockerfile").read_text()
    stage = re.split(r"^FROM .*$", text, flags=re.MULTILINE)[1]
    lines = re.sub(r"^#.*\n", "", stage, flags=re.MULTILINE).replace("\\\n", " ").splitlines()
    return [(line.partition(" ")[0], line.partition(" ")[2]) for line in lines if line.strip()]


def _copy(origin: Path, target: Path) -> None:
    if origin.is_dir():
        shutil.copytree(origin, target, ignore=shutil.ignore_patterns("__pycache__"))
    else:
        shutil.copy(origin, target)
