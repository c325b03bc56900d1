"""The command `motiongpt`: one sub-command, one module of `launch.commands`."""

import ast
import errno
import os
import re
import sys
from collections.abc import Sequence
from pathlib import Path

from hydra.errors import HydraException
from omegaconf.errors import OmegaConfBaseException

from launch import commands
from launch.quiet import never_fail_to_print, quiet
from motiongpt.errors import UserError, user_error_behind
from motiongpt.printable import printable

NO_PLACE = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES)
COMPLETION = ("-sc", "--shell-completion")  # as a shell asks an application of Hydra's


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one sub-command and return the exit status: 0 done, 1 something failed, 2 bad input."""
    quiet()
    never_fail_to_print()
    words = list(sys.argv[1:] if arguments is None else arguments)
    if not words or words[0] in ("-h", "--help"):
        print(_help())
        return 0 if words else 2
    name, *rest = words
    if name == "--version":
        from motiongpt import __version__

        print(__version__)
        return 0
    if name not in [*commands.names(), *COMPLETION]:
        valid = ", ".join(commands.names())
        print(f"motiongpt: {printable(name)}: no such command; valid: {valid}", file=sys.stderr)
        return 2
    try:
        return _completed(rest) if name in COMPLETION else int(commands.command(name).main(rest))
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


def _completed(words: Sequence[str]) -> int:
    from launch.hydra_app import complete_words  # takes seconds, and no other word needs it

    complete_words(words, commands.names())
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


def _summary(name: str) -> str:
    """First line of a command's docstring, without importing what the command needs."""
    source = Path(commands.__path__[0], f"{commands.module_name(name)}.py").read_text(
        encoding="utf-8"
    )
    return (ast.get_docstring(ast.parse(source)) or "").partition("\n")[0]


def _help() -> str:
    lines = [
        "usage: motiongpt COMMAND ...",
        "",
        "Train, sweep and compare motion-language models.",
        "",
        "commands:",
    ]
    width = max(map(len, commands.names()))
    for name in commands.names():
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
