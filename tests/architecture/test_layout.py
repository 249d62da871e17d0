"""The house keeps its shape: six flat packages of one distribution, one direction, one wheel.

Why the guard below looks at distributions: `docs/decisions/0001-flat-packages.md`.
"""

import re
import subprocess
import sys
import tomllib
import zipfile
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from scripts import check_tree

ROOT = Path(__file__).parent.parent.parent
PACKAGES = ("config", "console", "events", "handlers", "store", "workers")
PYPROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())


# ---------------------------------------------------------------- flat packages


@pytest.mark.parametrize("package", PACKAGES)
def test_no_other_distribution_owns_one_of_our_names(package: str) -> None:
    assert set(packages_distributions().get(package, ["backship"])) == {"backship"}


@pytest.mark.parametrize("package", PACKAGES)
def test_every_folder_of_a_package_is_a_package(package: str) -> None:
    folders = {path.parent for path in (ROOT / package).rglob("*.py")}
    assert folders, f"{package} holds no module"
    # Alembic runs the files of `versions` by path.
    without = {
        folder.relative_to(ROOT)
        for folder in folders
        if not (folder / "__init__.py").exists() and folder.name != "versions"
    }
    assert not without


def test_the_wheel_lists_every_package_and_nothing_else_is_one() -> None:
    assert tuple(PYPROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]) == PACKAGES
    apart = {"benchmarks", "scripts", "tests"}
    folders = {path.parent.name for path in ROOT.glob("*/__init__.py")}
    assert folders - apart == set(PACKAGES)


@pytest.mark.slow
def test_the_wheel_holds_the_code_the_migrations_the_data_and_no_tests(tmp_path: Path) -> None:
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    (wheel,) = tmp_path.glob("backship-*.whl")
    with zipfile.ZipFile(wheel) as content:
        names = set(content.namelist())
    for package in PACKAGES:
        sources = {
            path.relative_to(ROOT).as_posix()
            for path in (ROOT / package).rglob("*")
            if path.is_file() and "__pycache__" not in path.parts
        }
        assert sources <= names, package
    assert any(re.match(r"store/revisions/versions/\w+\.py", name) for name in names)
    assert any(re.match(r"console/data/.+\.csv\.gz", name) for name in names)
    assert any(name.endswith("licenses/NOTICE") for name in names)
    assert {name.split("/")[0] for name in names} == {
        *PACKAGES,
        f"{wheel.name.removesuffix('-py3-none-any.whl')}.dist-info",
    }


# ---------------------------------------------------------------- one direction


@pytest.mark.slow
def test_the_import_contracts_hold() -> None:
    checked = subprocess.run(
        [sys.executable, "-c", "from importlinter.cli import lint_imports_command as run; run()"],
        cwd=ROOT,
        check=False,
        capture_output=True,
        text=True,
    )
    assert checked.returncode == 0, checked.stdout
    assert "0 broken" in checked.stdout


def test_every_package_is_under_the_contracts_the_types_and_the_lint() -> None:
    tools = PYPROJECT["tool"]
    assert set(tools["importlinter"]["root_packages"]) == set(PACKAGES)
    assert set(tools["mypy"]["packages"]) >= {*PACKAGES, "scripts", "tests"}
    assert tools["mypy"]["strict"] is True
    assert tools["ruff"]["lint"]["select"] == ["ALL"]


def test_each_lint_exception_states_its_reason() -> None:
    text = (ROOT / "pyproject.toml").read_text().partition("[tool.ruff.lint]")[2]
    exceptions = [
        line
        for line in text.splitlines()
        if re.match(r'\s+"[A-Z]{1,6}\d*",', line) or re.match(r'"[^"]+" = \["[A-Z]', line)
    ]
    assert exceptions
    assert [line for line in exceptions if "#" not in line] == []


# ---------------------------------------------------------------- what is locked, what is shared


@pytest.mark.parametrize(
    ("lock", "wanted"),
    [
        ("requirements.lock", PYPROJECT["project"]["dependencies"]),
        ("requirements-build.lock", PYPROJECT["dependency-groups"]["build"]),
        (
            "requirements-dev.lock",
            [
                *PYPROJECT["project"]["dependencies"],
                *PYPROJECT["dependency-groups"]["build"],
                *PYPROJECT["dependency-groups"]["dev"],
            ],
        ),
        ("requirements-bench.lock", PYPROJECT["dependency-groups"]["bench"]),
    ],
    ids=["run", "build", "dev", "bench"],
)
def test_a_lock_holds_what_pyproject_asks_for(lock: str, wanted: list[str]) -> None:
    locked = _locked_versions(ROOT / lock)
    for requirement in map(Requirement, wanted):
        version = locked.get(canonicalize_name(requirement.name))
        assert version is not None, f"{lock} lacks {requirement}: make lock"
        assert requirement.specifier.contains(version), f"{lock} has {version}, not {requirement}"


def test_the_locks_agree_on_every_version() -> None:
    everything = _locked_versions(ROOT / "requirements-bench.lock")
    for name in ("requirements.lock", "requirements-build.lock", "requirements-dev.lock"):
        assert _locked_versions(ROOT / name).items() <= everything.items()


def test_every_locked_version_has_hashes() -> None:
    for lock in ROOT.glob("requirements*.lock"):
        entries = re.split(r"\n(?=\S)", re.sub(r"(?m)^\s*#.*\n", "", lock.read_text()).strip())
        assert all("--hash=sha256:" in entry for entry in entries), lock.name


def test_the_tree_names_no_package_index_and_no_one_machine() -> None:
    findings = [
        finding
        for path in check_tree.files_of_the_tree()
        for finding in check_tree.findings_in(path)
    ]
    assert findings == []


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("pip.conf", "extra-index" + "-url = https://mirror.example"),
        ("Dockerfile", "RUN pip install --find" + "-links x y"),
        ("README.md", "https://py" + "pi.org/project/backship"),
        ("requirements.lock", "x @ https" + "://mirror.example/x.whl"),
        ("notes.md", "cd /ho" + "me/ann/backship"),
        ("uv" + ".lock", ""),
    ],
)
def test_the_check_of_the_tree_finds_what_it_is_for(tmp_path: Path, name: str, line: str) -> None:
    (tmp_path / name).write_text(f"fine\n{line}\n")
    assert len(list(check_tree.findings_in(tmp_path / name))) == 1


def _locked_versions(lock: Path) -> dict[str, str]:
    pinned = re.findall(r"^([\w.-]+)==([^\s;]+)", lock.read_text(), re.MULTILINE)
    return {canonicalize_name(name): version for name, version in pinned}
