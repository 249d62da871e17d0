"""The installed servers on private ports, really started: they serve, and they are gone afterwards.

Where a program is not installed the other half of the promise is tried: it says which, and fails.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support import services

ROOT = Path(__file__).parent.parent.parent

_USE_BOTH = """
import json
from sqlalchemy import create_engine, text
from tests.support import services
with services.own_vhost(services.amqp_url()) as vhost_url:
    with services.own_database(services.postgres_url()) as database_url:
        engine = create_engine(database_url)
        with engine.connect() as connection:
            one = connection.execute(text("SELECT 1")).scalar()
        engine.dispose()
        print(json.dumps([services.amqp_url(), services.postgres_url(), vhost_url, one]))
"""


@pytest.mark.slow
def test_installed_servers_serve_on_private_ports_and_are_gone_afterwards() -> None:
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith("BACKSHIP_TEST_")
    }
    done = subprocess.run(
        [sys.executable, "-m", "scripts.with_services", sys.executable, "-c", _USE_BOTH],
        cwd=ROOT,
        env={**environment, "SERVICES": "installed"},
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )
    if done.returncode == 3:
        assert "is not installed" in done.stderr
        return
    assert done.returncode == 0, done.stderr
    amqp_url, postgres_url, vhost_url, one = json.loads(done.stdout)
    assert amqp_url not in (services.AMQP_URL_STANDARD, services.amqp_url())
    assert postgres_url not in (services.POSTGRES_URL_STANDARD, services.postgres_url())
    assert "/backship_test_" in vhost_url, "its rabbitmqctl made a virtual host"
    assert one == 1
    assert not services.broker_answers(amqp_url), "the node was left running"
