"""What the READMEs tell people to type exists: commands, their options, overrides, and links."""

import contextlib
import io
import re
import shlex
from functools import cache

import pytest

from launch.cli import main
from launch.composition.compose import Composer
from launch.composition.overrides import expand
from launch.composition.studies import EXPERIMENTS
from tests.shared import ROOT

FILES = sorted(
    [ROOT / "README.md", *(one for one in ROOT.glob("*/**/README.md") if ".venv" not in str(one))]
)
COMPOSING = ("run", "audit")
NOT_OPENED = ("init_from=", "hydra", "seeds=")  # asks for a folder, is no override of ours
LINK = re.compile(r"\]\(([^)#\s]+)")


def commands(file):
    """Lines of shell that begin with `motiongpt`, continued ones joined, and those of tables."""
    text = file.read_text().replace("\\\n", " ")
    blocks = "\n".join(re.findall(r"```\w*\n(.*?)```", text, re.S))
    inline = re.findall(r"`(motiongpt [^`]+)`", text)
    lines = [line.strip().partition("  #")[0] for line in blocks.splitlines()]
    return [line for line in (*lines, *inline) if line.startswith("motiongpt ")]


ALL = sorted({command for file in FILES for command in commands(file) if "…" not in command})


@cache
def help_of(words):
    said = io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.suppress(SystemExit):
        main([*words, "--help"])
    assert said.getvalue(), words
    return said.getvalue()


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(ROOT)))
def test_every_link_leads_somewhere(file):
    links = [link for link in LINK.findall(file.read_text()) if not re.match(r"\w+:", link)]
    assert not [link for link in links if not (file.parent / link).exists()]


@pytest.mark.parametrize("command", ALL)
def test_every_command_exists_with_its_options(command):
    words = shlex.split(command)[1:]
    names = [word for word in words[:2] if re.fullmatch(r"[a-z][a-z-]*", word)]
    command_help = help_of((names[0],))
    if len(names) > 1 and names[1] in command_help and names[0] in ("data", "score", "evaluators"):
        command_help = help_of(tuple(names))
    options = {word.partition("=")[0] for word in words if re.match(r"--?[a-z]", word)}
    assert not {one for one in options if one not in command_help}, command


@pytest.mark.parametrize(
    "command", [one for one in ALL if one.split()[1] in COMPOSING and "SWEEP" not in one]
)
def test_every_experiment_composes(command):
    words = [word for word in shlex.split(command)[2:] if "=" in word.split("{")[0]]
    words = [word for word in words if not word.startswith(NOT_OPENED)]
    first, *_ = expand(words) if words else [[]]
    assert Composer().compose(first).plain["stage"]


def test_commands_of_all_kinds_were_found():
    kinds = {command.split()[1] for command in ALL}
    assert {"run", "demo", "export", "data", "score", "leaderboard", "status"} <= kinds
    assert EXPERIMENTS.is_dir() and len(ALL) > 60
