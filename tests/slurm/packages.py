"""The programs that a SLURM cluster needs, and the Debian packages that hold them."""

import os
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

PROGRAMS = {
    "munged": "munge",
    "sbatch": "slurm-client",
    "slurmctld": "slurmctld",
    "slurmd": "slurmd",
    "slurmdbd": "slurmdbd",
    "mariadbd": "mariadb-server-core",
    "mariadb-install-db": "mariadb-server-core",
    "my_print_defaults": "mariadb-client-core",
    "setpriv": "util-linux",
    "unshare": "util-linux",
}
SYSTEM_PATH = "/usr/local/sbin:/usr/sbin:/sbin"
POLICY = Path("/usr/sbin/policy-rc.d")


class Unavailable(RuntimeError):
    """This machine cannot run a SLURM cluster; the message says why in one line."""


def program(name: str) -> str | None:
    """Full path of a program; daemons lie where an ordinary user's PATH does not look."""
    return shutil.which(name, path=f"{os.environ.get('PATH', os.defpath)}:{SYSTEM_PATH}")


def install_missing() -> None:
    """Make sure that every program is there.

    Raises:
        Unavailable: some are not, and cannot be installed.
    """
    missing = _missing()
    if not missing:
        return
    wanted = f"a SLURM cluster needs the Debian packages {' '.join(missing)}"
    if shutil.which("apt-get") is None:
        raise Unavailable(f"{wanted}, and there is no apt-get here")
    if os.geteuid() != 0:
        raise Unavailable(f"{wanted}; only root can install them (apt-get install …)")
    with _daemons_not_started():
        install = ["install", "--yes", "--no-install-recommends", *missing]
        complaint = _apt_get(install) and (_apt_get(["update"]) or _apt_get(install))
    if complaint or _missing():
        raise Unavailable(f"{wanted}; apt-get failed: {complaint or 'programs still missing'}")


def _missing() -> list[str]:
    return sorted({package for name, package in PROGRAMS.items() if program(name) is None})


def _apt_get(words: Sequence[str]) -> str:
    """Run apt-get; what it said last if it failed, else nothing."""
    done = subprocess.run(
        ["apt-get", "-o", "DPkg::Lock::Timeout=120", *words],
        env=os.environ | {"DEBIAN_FRONTEND": "noninteractive"},
        capture_output=True,
        text=True,
    )
    if done.returncode == 0:
        return ""
    return (done.stderr.strip().splitlines() or [f"exit status {done.returncode}"])[-1]


@contextmanager
def _daemons_not_started() -> Iterator[None]:
    """Keep packages from starting the system's own daemons, unless the machine has its policy."""
    if POLICY.exists():
        yield
        return
    POLICY.write_text("#!/bin/sh\nexit 101\n")
    POLICY.chmod(0o755)
    try:
        yield
    finally:
        POLICY.unlink()
