"""Reading references and predictions: JSON, one clip a line."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

from motiongpt.data.checks import text_problem
from motiongpt.errors import UserError
from motiongpt.reading import parse_json, read_text

Value = TypeVar("Value")


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


def read_predictions(
    path: Path, references: dict[str, list[str]], system: str | None = None
) -> dict[str, str]:
    """Sentences by clip, in the order of the references.

    Lines are `{"id": ..., "prediction": ...}`, or `{"id": ..., "predictions": {system: ...}}`, of
    which `system` names one. An empty sentence is a prediction too.

    Raises:
        UserError: as for references; also ids that those don't have, or that are left out.
    """

    def sentence(line: dict[str, Any], where: str) -> str:
        several = line.get("predictions")
        if isinstance(several, dict) and (system is not None or "prediction" not in line):
            found, key = several.get(system or ""), f'"predictions": {{"{system}": ...}}'
            if system is None or system not in several:
                raise UserError(
                    f"{where}: {system or 'several systems'}: choose one by --system; "
                    f"there are {', '.join(several) or 'none'}"
                )
        else:
            found, key = line.get("prediction"), '"prediction": ...'
        if not isinstance(found, str):
            raise UserError(f"{where}: give one sentence as {key}")
        return found

    found = {}
    for name, text, where in _clips(path, sentence):
        if name not in references:
            raise UserError(f"{where}: {name}: no clip of the references has this id")
        found[name] = text
    missing = [name for name in references if name not in found]
    if missing:
        raise UserError(
            f"{path}: {len(missing)} of {len(references)} clips have no prediction, first "
            f"{missing[0]}; write one line for each, with an empty sentence where there is none"
        )
    return {name: found[name] for name in references}


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
