"""The command `motiongpt`: one sub-command, one module of `launch.commands`."""

import ast
import errno
import importlib
import io
import logging
import os
import pkgutil
import re
import sys
import warnings
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType

from hydra.errors import HydraException
from omegaconf.errors import OmegaConfBaseException

from launch import commands
from motiongpt.errors import UserError, user_error_behind
from motiongpt.printable import printable

NO_PLACE = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES)
COMPLETION = ("-sc", "--shell-completion")  # as a shell asks an application of Hydra's


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one sub-command and return the exit status: 0 done, 1 something failed, 2 bad input."""
    quiet()
    _never_fail_to_print()
    words = list(sys.argv[1:] if arguments is None else arguments)
    if not words or words[0] in ("-h", "--help"):
        print(_help())
        return 0 if words else 2
    name, *rest = words
    if name == "--version":
        from motiongpt import __version__

        print(__version__)
        return 0
    if name not in [*_names(), *COMPLETION]:
        valid = ", ".join(_names())
        print(f"motiongpt: {printable(name)}: no such command; valid: {valid}", file=sys.stderr)
        return 2
    try:
        return _completed(rest) if name in COMPLETION else int(command(name).main(rest))
    except (UserError, HydraException, OmegaConfBaseException) as error:
        if os.environ.get("HYDRA_FULL_ERROR"):
            raise
        print(printable(f"motiongpt {name}: {_said(error)}", keep="\n\t"), file=sys.stderr)
        return 2
    except BrokenPipeError:  # the reader of a pipe, `head` perhaps, has seen enough
        sys.stderr.close()
        return 1
    except OSError as error:
        where = printable(f" ({error.filename})") if error.filename else ""
        how = "; choose another paths.root, or make room" if error.errno in NO_PLACE else ""
        print(f"motiongpt {name}: {error.strerror or error}{where}{how}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print(
            f"motiongpt {name}: interrupted; the same command goes on from the last checkpoint",
            file=sys.stderr,
        )
        return 130


def _never_fail_to_print() -> None:
    """File names may hold bytes that are no UTF-8, and terminals may know ASCII only."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _completed(words: Sequence[str]) -> int:
    importlib.import_module("launch.hydra_app").complete_words(words, _names())
    return 0


def _said(error: Exception) -> str:
    """One line for somebody's words, or for what a class made of them."""
    if said := user_error_behind(error):
        return str(said)
    cause = error.__cause__ or error
    key = re.search(r"full_key: (\S+)", str(error))
    where = f"{key[1]}: " if key else ""
    words = " ".join(str(cause).split())
    return f"{where}{type(cause).__name__}: {words}; HYDRA_FULL_ERROR=1 shows where"


def quiet() -> None:
    """Silence what libraries say of themselves: nobody who runs an experiment can act on it."""
    warnings.filterwarnings("ignore", message="The pynvml package is deprecated")
    warnings.filterwarnings("ignore", message=".*does not have many workers")
    warnings.filterwarnings("ignore", message=".*isinstance.treespec, LeafSpec")
    warnings.filterwarnings("ignore", message="The `srun` command is available")
    for name in ("lightning.pytorch", "lightning.pytorch.utilities.rank_zero"):
        logging.getLogger(name).setLevel(logging.WARNING)


def _names() -> list[str]:
    """Words that are commands: their modules, with hyphens."""
    return sorted(m.name.replace("_", "-") for m in pkgutil.iter_modules(commands.__path__))


def command(name: str) -> ModuleType:
    """Module of a sub-command."""
    return importlib.import_module(f"launch.commands.{_module(name)}")


def _module(name: str) -> str:
    return name.replace("-", "_")


def _summary(name: str) -> str:
    """First line of a command's docstring, without importing what the command needs."""
    source = Path(commands.__path__[0], f"{_module(name)}.py").read_text()
    return (ast.get_docstring(ast.parse(source)) or "").partition("\n")[0]


def _help() -> str:
    lines = [
        "usage: motiongpt COMMAND ...",
        "",
        "Train, sweep and compare motion-language models.",
        "",
        "commands:",
    ]
    width = max(map(len, _names()))
    for name in _names():
        lines.append(f"  {name:<{width}} {_summary(name)}")
    return "\n".join(
        [
            *lines,
            "",
            "`motiongpt COMMAND --help` tells more. A first run, nothing downloaded:",
            "  motiongpt run experiment=quickstart",
        ]
    )


if __name__ == "__main__":
    sys.exit(main())
