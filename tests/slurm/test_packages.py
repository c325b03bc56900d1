"""Packages are installed where that is possible; else one line says what is missing."""

import os
from pathlib import Path

import pytest

from tests.slurm import packages
from tests.slurm.packages import Unavailable, install_missing


@pytest.fixture
def apt(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine without munged, and a folder for its apt-get; the folder is all of PATH."""
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.setattr(packages, "SYSTEM_PATH", "")
    monkeypatch.setattr(packages, "PROGRAMS", {"sh": "dash", "no-such-munged": "munge"})
    monkeypatch.setattr(packages, "POLICY", tmp_path / "policy")
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    return tmp_path


def write(file: Path, *lines: str) -> None:
    file.write_text("\n".join(["#!/bin/sh", *lines]) + "\n")
    file.chmod(0o755)


def test_what_is_missing_is_installed_without_starting_it(apt: Path) -> None:
    write(
        apt / "apt-get",
        f'echo "$@" >> {apt}/asked',
        f"cp {apt}/policy {apt}/policy_meanwhile",
        f"[ -e {apt}/lists ] || [ $3 = update ] || {{ echo 'E: no package' >&2; exit 100; }}",
        f"touch {apt}/lists",
        f"[ $3 = update ] || cp {apt}/apt-get {apt}/no-such-munged",
    )
    install_missing()
    install = "-o DPkg::Lock::Timeout=120 install --yes --no-install-recommends munge"
    assert (apt / "asked").read_text().splitlines() == [
        install,
        "-o DPkg::Lock::Timeout=120 update",
        install,
    ]
    assert (apt / "policy_meanwhile").read_text().endswith("exit 101\n")
    assert not (apt / "policy").exists()
    install_missing()
    assert len((apt / "asked").read_text().splitlines()) == 3, "nothing is missing any more"


def test_a_policy_of_the_machine_stays(apt: Path) -> None:
    write(apt / "policy", "exit 0")
    write(apt / "apt-get", f"cp {apt}/apt-get {apt}/no-such-munged")
    install_missing()
    assert (apt / "policy").read_text() == "#!/bin/sh\nexit 0\n"


def test_apt_get_that_fails_is_quoted(apt: Path) -> None:
    write(apt / "apt-get", "echo first >&2", "echo 'E: no network' >&2", "exit 100")
    with pytest.raises(Unavailable, match=r"packages munge; apt-get failed: E: no network$"):
        install_missing()
    assert not (apt / "policy").exists()


def test_apt_get_that_brings_nothing_is_told(apt: Path) -> None:
    write(apt / "apt-get", "true")
    with pytest.raises(Unavailable, match=r"apt-get failed: programs still missing$"):
        install_missing()


def test_an_ordinary_user_is_told_what_to_install(
    apt: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(apt / "apt-get", "true")
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(Unavailable, match=r"packages munge; only root can install them"):
        install_missing()


def test_without_apt_get_the_packages_are_named(apt: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(apt))
    monkeypatch.setattr(packages, "PROGRAMS", {"no-such-munged": "munge"})
    with pytest.raises(Unavailable, match=r"Debian packages munge, and there is no apt-get here"):
        install_missing()
