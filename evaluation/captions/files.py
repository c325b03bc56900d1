"""Reading references and predictions: JSON, one clip a line."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from motiongpt.data.checks import text_problem
from motiongpt.errors import UserError
from motiongpt.reading import parse_json, read_text

Value = TypeVar("Value")


@dataclass(frozen=True)
class System:
    """What one system wrote: a sentence for every clip of the references, in their order."""

    path: Path
    sentences: Mapping[str, str]


def read_references(path: Path) -> dict[str, list[str]]:
    """Captions by clip, from lines `{"id": ..., "references": [...]}`; other keys are left alone.

    Raises:
        UserError: an unreadable or empty file, a line that is no such object, an id twice.
    """

    def captions(line: dict[str, Any], where: str) -> list[str]:
        found = line.get("references")
        if not isinstance(found, list) or not found:
            raise UserError(f'{where}: give one caption or more as "references": [...]')
        if not all(isinstance(caption, str) and caption.strip() for caption in found):
            raise UserError(f'{where}: "references" holds something that is no sentence')
        if problem := next(filter(None, map(text_problem, found)), None):
            raise UserError(f"{where}: {problem}")
        return found

    return {name: found for name, found, _ in _clips(path, captions)}


def read_systems(
    paths: Sequence[Path], references: dict[str, list[str]], wanted: Sequence[str] = ()
) -> dict[str, System]:
    """Systems by name.

    Lines are `{"id": ..., "predictions": {system: ...}}`, or `{"id": ..., "prediction": ...}` of a
    system that has the file's name (without its ending). An empty sentence is a prediction too.

    Args:
        wanted: of the systems in all files; empty takes all.

    Raises:
        UserError: as for references; also ids that those don't have, or that a system leaves out;
            a system that no file has, or two of them.
    """
    found: dict[str, System] = {}
    for path in paths:
        for name, sentences in _systems(path, references).items():
            if name in found:
                raise UserError(f"{path}: the system {name} is in {found[name].path} too")
            found[name] = System(path, sentences)
    if unknown := [name for name in wanted if name not in found]:
        raise UserError(f"--system {unknown[0]}: no such system; there are {', '.join(found)}")
    chosen = {name: found[name] for name in dict.fromkeys(wanted or found)}
    for name, one in chosen.items():
        _check_whole(f"{one.path}: {name}", one.sentences, references)
    return {
        name: System(one.path, {clip: one.sentences[clip] for clip in references})
        for name, one in chosen.items()
    }


def _systems(path: Path, references: Mapping[str, Any]) -> dict[str, dict[str, str]]:
    """System -> clip -> sentence; a system may lack clips."""

    def sentences(line: dict[str, Any], where: str) -> dict[str, str]:
        found = line.get("predictions", {path.stem: line.get("prediction")})
        if not isinstance(found, dict) or not found:
            raise UserError(f'{where}: give "prediction": ... or "predictions": {{SYSTEM: ...}}')
        if wrong := [name for name, text in found.items() if not isinstance(text, str)]:
            raise UserError(f"{where}: {wrong[0]}: the prediction is no sentence")
        return found

    found: dict[str, dict[str, str]] = {}
    for clip, by_system, where in _clips(path, sentences):
        if clip not in references:
            raise UserError(f"{where}: {clip}: no clip of the references has this id")
        for name, text in by_system.items():
            found.setdefault(name, {})[clip] = text
    return found


def _check_whole(where: str, sentences: Mapping[str, str], references: Mapping[str, Any]) -> None:
    missing = [name for name in references if name not in sentences]
    if missing:
        raise UserError(
            f"{where}: {len(missing)} of {len(references)} clips have no prediction, first "
            f"{missing[0]}; write one line for each, with an empty sentence where there is none"
        )


def read_tokens(path: Path, references: Mapping[str, Sequence[str]]) -> dict[str, list[str]] | None:
    """The data set's own tokens of each caption, `"tokens": ["a/DET man/NOUN", ...]`, by clip.

    Returns:
        None where no line has any.

    Raises:
        UserError: a line without where another has some, or not as many as captions.
    """

    def tokens(line: dict[str, Any], where: str) -> list[str] | None:
        found = line.get("tokens")
        if found is None:
            return None
        if not isinstance(found, list) or not all(isinstance(one, str) for one in found):
            raise UserError(f'{where}: give one text a caption as "tokens": [...]')
        if len(found) != len(references[line["id"]]):
            raise UserError(
                f"{where}: {len(found)} tokens for {len(references[line['id']])} captions; "
                "give one text for each"
            )
        return found

    found = {clip: (own, where) for clip, own, where in _clips(path, tokens)}
    lacking = [where for own, where in found.values() if own is None]
    if lacking and len(lacking) < len(found):
        raise UserError(f'{lacking[0]}: no "tokens", which other lines have; give all or none')
    return None if lacking else {clip: own for clip, (own, _) in found.items() if own is not None}


def _clips(
    path: Path, value: Callable[[dict[str, Any], str], Value]
) -> Iterator[tuple[str, Value, str]]:
    """Id, value and where it stands (`file:line`) of every clip."""
    seen: dict[str, int] = {}
    for number, text in _lines(path):
        where = f"{path}:{number}"
        try:
            line = parse_json(text)
        except ValueError as error:
            raise UserError(f"{where}: not a line of JSON ({error})") from error
        if not isinstance(line, dict) or not isinstance(line.get("id"), str):
            raise UserError(f'{where}: not an object with a text as "id"')
        name = line["id"]
        if name in seen:
            raise UserError(f"{where}: {name}: the same id as in line {seen[name]}")
        seen[name] = number
        yield name, value(line, where), where
    if not seen:
        raise UserError(f"{path}: an empty file; one JSON object a line is expected")


def _lines(path: Path) -> list[tuple[int, str]]:
    """Lines that hold something, with their numbers from 1 on."""
    try:
        text = read_text(path, "utf-8-sig")
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        raise UserError(f"{path}:{line}: not UTF-8 text") from error
    except OSError as error:
        raise UserError(f"{path}: can't be read: {error.strerror}") from error
    # Not splitlines(), which would also split at separators that a JSON text may hold.
    return [(number, line) for number, line in enumerate(text.split("\n"), 1) if line.strip()]
