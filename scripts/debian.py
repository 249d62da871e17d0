"""Installing a server's Debian package, where we are root on Debian or a child of it."""

import os
import shutil
import subprocess

from scripts.server import UnavailableError

INSTALL_SECONDS_MAX = 900


def install(packages: tuple[str, ...]) -> None:
    """`apt-get install` them; UnavailableError where that is not ours to do, or fails."""
    if shutil.which("apt-get") is None:
        raise UnavailableError("not a Debian system, so nothing was installed")
    if os.geteuid() != 0:
        raise UnavailableError("not root, so nothing was installed")
    # RUNLEVEL=1: the package must not start a server that nobody would stop.
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive", "RUNLEVEL": "1"}
    for command in (
        ["apt-get", "update", "--quiet"],
        ["apt-get", "install", "--quiet", "--yes", "--no-install-recommends", *packages],
    ):
        done = subprocess.run(
            command,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=INSTALL_SECONDS_MAX,
            check=False,
        )
        if done.returncode != 0:
            said = (done.stderr or done.stdout).strip().splitlines()
            raise UnavailableError(f"{' '.join(command)}: {said[-1] if said else 'failed'}")
