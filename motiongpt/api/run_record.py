"""What a run's config.json says of the method that it belongs to, checked before it is used."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from motiongpt.api.codec_only import CODEC
from motiongpt.errors import UserError
from motiongpt.files import read_json

CONFIG = "config.json"
# Runs of earlier versions don't name their method: there was one.
FIRST_METHOD = {
    "name": "motiongpt",
    "parts": {CODEC: "tokenizer", "language_model": "instruct"},
    "earlier": {"instruct": "pretrain"},
}


@dataclass(frozen=True)
class RunRecord:
    """A run's method, what it builds on, and what its store had.

    Attributes:
        path: of the file that says so.
        method: name.
        parts: part of the method -> stage that leaves it; of a method that generates nothing its
            codec.
        earlier: stage -> one before it that can stand in.
        parents: stage -> signature of the run that it builds on.
        group: of the experiment; None where it has none.
        data: of the store: name, fingerprint, fps, skeleton.
        asked_data: `data` of the configuration; runs of earlier versions say fps only there.
        templates: file of the instruction templates of the training; None for the project's own.
    """

    path: Path
    method: str
    parts: Mapping[str, str]
    earlier: Mapping[str, str]
    parents: Mapping[str, str]
    group: str | None
    data: Mapping[str, Any]
    asked_data: Mapping[str, Any]
    templates: str | None

    @classmethod
    def read(cls, run: Path) -> "RunRecord":
        """The record of a run; an empty one where the file is absent.

        Raises:
            UserError: it is damaged; names the file and what in it.
        """
        path = run / CONFIG
        whole = _Node(path, "", read_json(path, {}))
        config = whole.below("config")
        method = config.below("method", FIRST_METHOD)
        parts = method.words("parts")
        codec = method.word("codec")
        if not parts and codec is not None:
            parts = {CODEC: codec}
        return cls(
            path=path,
            method=method.word("name", needed=True) or "",
            parts=parts,
            earlier=method.words("earlier"),
            parents=whole.words("parents"),
            group=config.name("group"),
            data=whole.below("data").content,
            asked_data=config.below("data").content,
            templates=config.below("tasks").word("templates"),
        )


@dataclass(frozen=True)
class _Node:
    """An object somewhere in the file."""

    path: Path
    where: str
    content: Mapping[str, Any]

    def below(self, key: str, default: Mapping[str, Any] | None = None) -> "_Node":
        """The object under a key; `default` where there is no such key."""
        found = self.content.get(key, {} if default is None else default)
        if not isinstance(found, Mapping):
            raise self._wrong(key, "an object", found)
        return _Node(self.path, f"{self.where}{key}.", found)

    def word(self, key: str, needed: bool = False) -> str | None:
        """The text under a key; None where there is none and none is needed."""
        found = self.content.get(key)
        if found is None and not needed:
            return None
        if not isinstance(found, str):
            raise self._wrong(key, "a text", found)
        return found

    def name(self, key: str) -> str | None:
        """As `word`; a name may read as a number: group=2024."""
        found = self.content.get(key)
        number = isinstance(found, int | float) and not isinstance(found, bool)
        return str(found) if number else self.word(key)

    def words(self, key: str) -> dict[str, str]:
        """The texts by name under a key; none where there is no such key."""
        found = self.below(key).content
        for name, text in found.items():
            if not isinstance(text, str):
                raise self._wrong(f"{key}.{name}", "a text", text)
        return {str(name): text for name, text in found.items()}

    def _wrong(self, key: str, wanted: str, found: object) -> UserError:
        kind = "null" if found is None else type(found).__name__
        return UserError(
            f"{self.path}: {self.where}{key}: expected {wanted}, found {kind}; run the stage again"
        )
