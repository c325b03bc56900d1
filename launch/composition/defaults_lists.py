"""Which files make up a configuration: Hydra's defaults lists of many combinations of choices.

Hydra takes a tenth of a second for a list. A sweep over several groups has as many combinations
as the product of its choices, so Hydra is asked only for the first combination and for each
choice on its own; the others are put together from what each choice changes in the first list.
Where two choices may have to do with each other, Hydra is asked again.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import pairwise

from hydra._internal.config_repository import IConfigRepository
from hydra._internal.defaults_list import create_defaults_list
from hydra.core.default_element import ConfigDefault, GroupDefault, InputDefault, ResultDefault
from hydra.core.override_parser.types import Override

REFERENCE = re.compile(r"\$\{(\w+)\}")


@dataclass(frozen=True)
class DefaultsList:
    """One combination of choices.

    Attributes:
        files: in the order in which they are merged.
        choices: group -> its choice.
        is_plain: whether each group's choice is made in one place.
        asked: groups whose choice decides which other files there are.
    """

    files: Sequence[ResultDefault]
    choices: Mapping[str, object]
    is_plain: bool
    asked: frozenset[str] = frozenset()


@dataclass(frozen=True)
class _Change:
    """Files `start` to `stop` of a list give way to `files`."""

    start: int
    stop: int
    files: Sequence[ResultDefault]


class DefaultsLists:
    """Finds the lists of one sweep.

    Args:
        repository: of the configuration files; remembers what it has read.
        root: name of the primary configuration.
    """

    def __init__(self, repository: IConfigRepository, root: str) -> None:
        self._repository, self._root = repository, root
        self._by_hydra: dict[tuple[str, ...], DefaultsList] = {}
        self._first: dict[tuple[str, ...], Sequence[Override]] = {}

    def find(self, groups: Sequence[Override]) -> DefaultsList:
        """The list for these choices of groups, in the order of the command line.

        Raises:
            HydraException: there is no such group or choice.
            ValueError: a choice that is no name.
        """
        keys = tuple(one.get_key_element() for one in groups)
        first = self._first.setdefault(keys, groups)
        changed = [
            position
            for position, one in enumerate(groups)
            if one.input_line != first[position].input_line
        ]
        base = self._ask(first)
        if len(changed) < 2:
            return self._ask(groups)
        alone = [
            self._ask([*first[:position], groups[position], *first[position + 1 :]])
            for position in changed
        ]
        # A choice may bring a file that asks for another group's choice.
        asked = base.asked.union(*(one.asked for one in alone))
        if any(keys[position] in asked for position in changed):
            return self._ask(groups)
        found = _together(base, alone)
        return found if found and self._is_plain(found.files) else self._ask(groups)

    def _ask(self, groups: Sequence[Override]) -> DefaultsList:
        words = tuple(str(one.input_line) for one in groups)
        if words not in self._by_hydra:
            found = create_defaults_list(
                self._repository, self._root, list(groups), prepend_hydra=False, skip_missing=False
            )
            self._by_hydra[words] = DefaultsList(
                found.defaults,
                dict(found.overrides.known_choices),
                self._is_plain(found.defaults),
                self._asked(found.defaults),
            )
        return self._by_hydra[words]

    def _is_plain(self, files: Sequence[ResultDefault]) -> bool:
        """Whether no group is overridden by two files.

        Else a choice can matter that shows only together with another.
        """
        overridden = set[str]()
        for entry in self._entries(files):
            if isinstance(entry, GroupDefault) and entry.override:
                group = str(entry.group).rpartition("/")[2]
                if group in overridden:
                    return False
                overridden.add(group)
        return True

    def _asked(self, files: Sequence[ResultDefault]) -> frozenset[str]:
        return frozenset(
            name for entry in self._entries(files) for name in REFERENCE.findall(_wanted(entry))
        )

    def _entries(self, files: Sequence[ResultDefault]) -> Iterator[InputDefault]:
        for path in dict.fromkeys(str(file.config_path) for file in files):
            loaded = self._repository.load_config(path)
            yield from (loaded.defaults_list or []) if loaded else []


def _wanted(entry: InputDefault) -> str:
    if isinstance(entry, ConfigDefault):
        return str(entry.path)
    return str(entry.value) if isinstance(entry, GroupDefault) else ""


def _together(base: DefaultsList, alone: Sequence[DefaultsList]) -> DefaultsList | None:
    """`base` with what each of `alone` changes in it; None where the changes may touch."""
    choices = _choices_together(base, alone)
    if choices is None or not all(one.is_plain for one in (base, *alone)):
        return None
    if len({_identity(file) for file in base.files}) < len(base.files):
        return None
    changes = sorted(
        (change for one in alone for change in _changes(base.files, one.files)),
        key=lambda change: (change.start, change.stop),
    )
    for before, after in pairwise(changes):
        if after.start < before.stop or before.start == before.stop == after.start == after.stop:
            return None
    files, done = list[ResultDefault](), 0
    for change in changes:
        files += [*base.files[done : change.start], *change.files]
        done = change.stop
    return DefaultsList([*files, *base.files[done:]], choices, is_plain=True)


def _choices_together(
    base: DefaultsList, alone: Sequence[DefaultsList]
) -> dict[str, object] | None:
    choices = dict(base.choices)
    for one in alone:
        if one.choices.keys() != base.choices.keys():
            return None
        for group, choice in one.choices.items():
            if choice == base.choices[group]:
                continue
            if choices[group] != base.choices[group]:
                return None
            choices[group] = choice
    return choices


def _changes(base: Sequence[ResultDefault], other: Sequence[ResultDefault]) -> Iterator[_Change]:
    matcher = SequenceMatcher(
        None, [_identity(file) for file in base], [_identity(file) for file in other], False
    )
    for kind, start, stop, first, last in matcher.get_opcodes():
        if kind != "equal":
            yield _Change(start, stop, other[first:last])


def _identity(file: ResultDefault) -> tuple[object, ...]:
    return file.config_path, file.package, file.parent, file.is_self, file.primary
