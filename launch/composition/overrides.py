"""The words of a command line that are Hydra's overrides, and the choices that groups have."""

import re
import shlex
from collections.abc import Sequence
from importlib import resources
from pathlib import Path

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Glob, Override, Sweep
from hydra.errors import HydraException

import launch
from launch.composition.declarations import reserved_in
from motiongpt.errors import UserError

CONF = Path(launch.__file__).resolve().parents[1] / "conf"
SEARCHPATH = "hydra.searchpath"
KEY = re.compile(r"(\+{0,2}|~)[A-Za-z_][\w\-]*([./@][\w\-]+)*(@:?[\w.\-]*)?")
HOME = re.compile(r"""(^|[,\[(])(["']?)~(?=[/,\])"']|$)""")
LONGEST_SHOWN = 300
CLOSING = {"[": "]", "{": "}", '"': '"', "'": "'"}


def parse_overrides(words: Sequence[str]) -> list[Override]:
    """Parse `key=value` words; `~/` where a value begins is the user's home.

    Raises:
        UserError: a word that is no override, or one that changes what is signed.
    """
    parsed = [_parsed(_at_home(word)) for word in words]
    for override in parsed:
        if word := reserved_in(override.key_or_group, override.value()):
            raise UserError(
                f"{override.input_line}: {word} says what a signature leaves out; only a yaml of "
                "conf/ may say so"
            )
    return parsed


def _at_home(word: str) -> str:
    key, equals, value = word.partition("=")
    return key + equals + HOME.sub(lambda found: f"{found[1]}{found[2]}{Path.home()}", value)


def _parsed(word: str) -> Override:
    try:
        (override,) = OverridesParser.create().parse_overrides([word])
    except (HydraException, RecursionError) as error:
        raise UserError(_mended(word)) from error
    if not override.key_or_group:
        raise UserError(_mended(word))
    return override


def _mended(word: str) -> str:
    """What to say of a word that Hydra's grammar does not know, with one that it does."""
    if len(word) > LONGEST_SHOWN:
        return f"{word[:LONGEST_SHOWN]!r}…: no override that could be understood"
    key, equals, value = word.partition("=")
    written = "an override is written key=value, as in downsampling=4"
    if not equals:
        return f"{word!r}: {written}; a word with spaces needs quotes around all of it"
    if not KEY.fullmatch(key):
        return f"{word!r}: {key!r} is no name of an option; {written}"
    closing = CLOSING.get(value[0]) if value else None
    if closing and (len(value) == 1 or not value.endswith(closing)):
        return f"{word!r}: {value[0]} is opened and not closed"
    quoted = f"{key}={in_quotes(value)}"
    if value.isprintable() and _is_override(quoted):
        return f"{word!r}: such a value needs quotes within quotes: {shlex.quote(quoted)}"
    return f"{word!r}: a value can't be written so"


def in_quotes(value: str) -> str:
    """A value as Hydra's grammar takes any text: in quotes, those within behind a backslash."""
    escaped = re.sub(r'(\\*)"', r'\1\1\\"', value)
    doubled = re.sub(r"(\\+)$", r"\1\1", escaped)  # one at the end would take the quote's place
    return f'"{doubled}"'


def refuse_reference(folder: str, where: str) -> None:
    """Refuse a folder whose name, or that of one above it, is read as a reference.

    Args:
        where: what names it, for the message.

    Raises:
        UserError: there is a ${ in it.
    """
    if "${" in str(Path(folder).absolute()):
        raise UserError(
            f"{where}: {Path(folder).absolute()}: Hydra and OmegaConf read ${{ in a folder's name "
            "as a reference; choose another folder, or rename it"
        )


def _is_override(word: str) -> bool:
    try:
        OverridesParser.create().parse_overrides([word])
    except HydraException:
        return False
    return True


def expand(words: Sequence[str]) -> list[list[str]]:
    """The points of a sweep: every combination of the overrides that list several values.

    Raises:
        UserError: a word that is no override, or whose values can't be listed.
    """
    points: list[list[str]] = [[]]
    overrides = parse_overrides(words)
    folders = config_folders(overrides)
    for override in overrides:
        if override.is_sweep_override():
            key = override.get_key_element()
            values = [f"{key}={value}" for value in listed_values(override, folders)]
        else:
            values = [str(override.input_line)]
        points = [[*point, value] for point in points for value in values]
    return points


def listed_values(override: Override, folders: Sequence[Path] = (CONF,)) -> list[str]:
    """The values of an override that has several, as they are written.

    Raises:
        UserError: an interval, or a pattern that fits no choice.
    """
    line, value = override.input_line, override.value()
    if override.is_interval_sweep():
        raise UserError(
            f"{line}: an interval has no end of values; write choice(…) or range(…), or let "
            "hydra/sweeper=optuna draw from it"
        )
    if not isinstance(value, Glob):
        return list(override.sweep_string_iterator())
    valid = choices(override.key_or_group, folders)
    if not value.filter(valid):
        raise UserError(f"{line}: fits no choice; valid: {', '.join(valid) or 'none'}")
    return value.filter(valid)


def one_value_each(overrides: Sequence[Override]) -> None:
    """Refuse what only a sweep takes.

    Raises:
        UserError: an override with several values.
    """
    for override in overrides:
        if override.is_sweep_override():
            line, key = str(override.input_line), override.get_key_element()
            quoted = shlex.quote(f"{key}={in_quotes(line.partition('=')[2])}")
            raise UserError(
                f"{line}: several values are a sweep; add -m to motiongpt run; one value with a "
                f"comma in it is written {quoted}, a list [in,brackets]"
            )


def choices(group: str, folders: Sequence[Path] = (CONF,)) -> list[str]:
    """Names that `group=` takes, or an empty list where there is no such group."""
    files = (file for folder in folders for file in (folder / group).glob("[!_]*.yaml"))
    return sorted({file.stem for file in files})  # those with _ are parts of choices


def config_folders(overrides: Sequence[Override]) -> list[Path]:
    """Where the files of groups lie: `conf/`, and what `hydra.searchpath` adds to it.

    Raises:
        UserError: a folder that is not there.
    """
    added = [one for one in overrides if one.get_key_element() == SEARCHPATH]
    return [CONF, *(_folder(str(place)) for one in added for place in _listed(one))]


def with_config_dir(words: Sequence[str], folder: str) -> list[str]:
    """Overrides by which Hydra looks for groups' files in one more folder.

    Raises:
        UserError: a word that is no override, or a folder that Hydra would not find.
    """
    refuse_reference(folder, "--config-dir")
    given = parse_overrides(words)
    added = [one for one in given if one.key_or_group == SEARCHPATH]
    places = [str(place) for one in added for place in _listed(one)]
    quoted = ",".join(map(in_quotes, [*places, f"file://{Path(folder).resolve()}"]))
    others = [str(one.input_line) for one in given if one not in added]
    return [*others, f"{SEARCHPATH}=[{quoted}]"]


def _listed(override: Override) -> list[object]:
    value = override.value()
    if not isinstance(value, list):
        raise UserError(f"{override.input_line}: a list is needed, as {SEARCHPATH}=[FOLDER]")
    return value


def _folder(place: str) -> Path:
    """The folder behind one entry of `hydra.searchpath`."""
    scheme, separator, rest = place.partition("://")
    if scheme == "pkg" and separator:
        package, _, inner = rest.partition("/")
        try:
            folder = Path(str(resources.files(package))) / inner
        except (ImportError, TypeError, ValueError) as error:
            raise UserError(f"{SEARCHPATH}: {place}: no such package") from error
    else:
        folder = Path(rest if separator else place)
    if not folder.is_dir():
        raise UserError(f"{SEARCHPATH}: {place}: no such folder")
    return folder


def is_choice(override: Override) -> bool:
    """Whether it says which files are merged, and does not only set a value."""
    group = override.key_or_group
    return (CONF / group).is_dir() and not isinstance(override.value(), dict)


def for_hydra(override: Override, folders: Sequence[Path] = (CONF,)) -> str:
    """The override as Hydra takes it, who wants a group's choice to be a string: 4 is a number.

    Raises:
        UserError: a choice that is no name, as data=null.
    """
    line, group = str(override.input_line), override.key_or_group.split("@")[0]
    value = override.value()
    valid = choices(group, folders)
    if not valid or isinstance(value, str | dict | Sweep) or override.is_delete():
        return line
    if isinstance(value, list) and all(isinstance(one, str) for one in value):
        return line
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{override.get_key_element()}='{value}'"
    raise UserError(f"{line}: no such choice; valid: {', '.join(valid)}")
