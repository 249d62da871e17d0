"""PostgreSQL over TLS with the name of the host checked, and with the least rights for each.

A server of our own: roles belong to a whole cluster, and certificates to its start.
"""

import os
import pwd
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
import trustme

from scripts.postgres import Postgres
from tests.support.builders import item_changed, order_placed, stock_received, vendor_changed
from tests.support.command import Ended, Inside
from tests.support.stack import Stack, outgoing

ROLES = Path(__file__).parents[3] / "deploy" / "postgresql" / "roles.sql"

pytestmark = [pytest.mark.postgres, pytest.mark.slow, pytest.mark.timeout(240)]


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """Serve `localhost` by TLS; yield its URL."""
    with tempfile.TemporaryDirectory(prefix="backship-postgresql-") as name:
        folder = Path(name)
        folder.chmod(0o755)  # its own account must come by
        yield from served(folder)


def served(folder: Path) -> Iterator[str]:
    started = Postgres().start_private(folder)
    try:
        authority = trustme.CA()
        authority.cert_pem.write_to_path(folder / "ca.pem")
        trustme.CA().cert_pem.write_to_path(folder / "stranger.pem")
        issued = authority.issue_cert("localhost")
        issued.private_key_pem.write_to_path(folder / "data" / "server.key")
        issued.cert_chain_pems[0].write_to_path(folder / "data" / "server.crt")
        for name in ("server.key", "server.crt"):
            (folder / "data" / name).chmod(0o600)
            if os.geteuid() == 0:
                owner = pwd.getpwnam("postgres")
                os.chown(folder / "data" / name, owner.pw_uid, owner.pw_gid)
        with psycopg.connect(plain(started.url), autocommit=True) as connection:
            connection.execute("ALTER SYSTEM SET ssl = on")
            connection.execute("SELECT pg_reload_conf()")
        (folder / "ca").mkdir()
        shutil.move(folder / "ca.pem", folder / "ca" / "ca.pem")
        shutil.move(folder / "stranger.pem", folder / "ca" / "stranger.pem")
        yield f"{started.url}#{folder / 'ca'}"
    finally:
        assert started.stop is not None
        started.stop()


def plain(url: str) -> str:
    return url.replace("postgresql+psycopg://", "postgresql://", 1)


@pytest.fixture
def url(server: str) -> str:
    return server.partition("#")[0]


@pytest.fixture
def authorities(server: str) -> Path:
    return Path(server.partition("#")[2])


# ---------------------------------------------------------------- TLS


def asked(folder: Path, url: str) -> Ended:
    return Inside(folder, {"database_url": url}).run("init")


def test_tls_trusts_the_named_authority_and_no_other_host(
    url: str, authorities: Path, tmp_path: Path
) -> None:
    checked = f"?sslmode=verify-full&sslrootcert={authorities / 'ca.pem'}"
    right = url.replace("127.0.0.1", "localhost") + checked
    assert asked(tmp_path, right).status == 0
    with psycopg.connect(plain(right)) as connection:
        row = connection.execute(
            "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()"
        ).fetchone()
    assert row == (True,)
    stranger = right.replace("ca.pem", "stranger.pem")
    for wrong, reason in (
        (url + checked, 'certificate for "localhost" does not match host name "127.0.0.1"'),
        (stranger, "certificate verify failed"),
        (right.replace("ca.pem", "nowhere.pem"), "does not exist"),
    ):
        ended = asked(tmp_path, wrong)
        assert ended.status == 3, ended
        assert reason in ended.err
        assert len(ended.err.splitlines()) == 1


# ---------------------------------------------------------------- rights


@pytest.fixture(scope="module")
def roles(server: str, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """A database with its tables and the deployed roles: URLs of owner, worker and reader."""
    cluster = server.partition("#")[0]
    owner = cluster.rpartition("/")[0] + "/shop"
    with psycopg.connect(plain(cluster), autocommit=True) as connection:
        connection.execute("CREATE DATABASE shop")
    assert asked(tmp_path_factory.mktemp("owner"), owner).status == 0
    with psycopg.connect(plain(owner), autocommit=True) as connection:
        for _again in range(2):
            connection.execute(ROLES.read_text())
        for name in ("worker", "reader"):
            connection.execute(f"CREATE ROLE my_{name} LOGIN IN ROLE backship_{name}")
    urls = {name: owner.replace("postgres@", f"my_{name}@") for name in ("worker", "reader")}
    return {"owner": owner, **urls}


def test_a_worker_works_with_rights_on_rows_alone(roles: dict[str, str], tmp_path: Path) -> None:
    stack = Stack(roles["worker"], f"backship-sqlite:///{tmp_path / 'q.db'}", "bs")
    Inside(tmp_path, {"database_url": roles["owner"], "broker_url": stack.broker_url or "",
                      "topology_prefix": "bs"}).done("init")  # fmt: skip
    events = (
        vendor_changed("V"),
        item_changed("A", vendor="V"),
        order_placed("1", [("A", 3)]),
        stock_received("r", "WH1", [("A", 2)]),
    )
    stack.publish([outgoing(event) for event in events])
    stack.work()
    assert stack.value("SELECT COUNT(*) FROM inbox") == 4
    assert stack.value("SELECT COUNT(*) FROM outbox") == 0
    assert stack.differences() == []
    worker = Inside(tmp_path, {"database_url": roles["worker"]})
    assert worker.done("housekeeping")


@pytest.mark.parametrize("name", ["worker", "reader"])
@pytest.mark.parametrize(
    "statement",
    [
        "CREATE TABLE mine (n int)",
        "DROP TABLE inbox",
        "ALTER TABLE inbox ADD COLUMN mine int",
        "TRUNCATE inbox",
        "CREATE INDEX mine ON inbox (type)",
        "UPDATE alembic_version SET version_num = '0001'",
        "CREATE ROLE mine",
    ],
)
def test_only_the_owner_changes_tables(roles: dict[str, str], name: str, statement: str) -> None:
    with (
        psycopg.connect(plain(roles[name])) as connection,
        pytest.raises(psycopg.errors.InsufficientPrivilege),
    ):
        connection.execute(statement)


def test_a_reader_looks_at_everything_and_writes_nothing(
    roles: dict[str, str], tmp_path: Path
) -> None:
    reader = Inside(tmp_path, {"database_url": roles["reader"]})
    for query in ("audit", "backorders", "replenishments", "exceptions", "emitted", "dead list"):
        reader.done(*query.split(), "--json")
    reader.done("housekeeping", "--dry-run")
    with psycopg.connect(plain(roles["reader"])) as connection:
        named = connection.execute(
            "SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY tablename"
        ).fetchall()
    assert len(named) > 25
    for (table,) in named:
        for statement in (f"DELETE FROM {table}", f"INSERT INTO {table} DEFAULT VALUES"):
            with (
                psycopg.connect(plain(roles["reader"])) as connection,
                pytest.raises(psycopg.errors.InsufficientPrivilege),
            ):
                connection.execute(statement)
    ended = reader.run("init")
    assert (ended.status, ended.err) != (0, "")
