"""`results.json` read back: checked against its schema, as typed values."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError

from evaluation.replications.results import Result
from motiongpt.errors import UserError

RESULTS = "results.json"
SCHEMA = Path(__file__).with_name("results_schema.json")


@dataclass(frozen=True)
class DataFacts:
    """The motion that was evaluated on; `clips` of its `split` were asked."""

    name: str
    fingerprint: str
    split: str
    clips: int


@dataclass(frozen=True)
class ResultsFile:
    """One evaluation under one protocol.

    Attributes:
        path: of the file.
        experiment: plain settings by which tables pick runs.
        protocol: all resolved settings, `name` among them.
        evaluator, captions: what judged motions and sentences; None where nothing did.
        time: ISO 8601.
    """

    path: Path
    signature: str
    stage: str
    experiment: Mapping[str, Any]
    data: DataFacts
    protocol: Mapping[str, Any]
    evaluator: Mapping[str, Any] | None
    captions: Mapping[str, Any] | None
    seeds: tuple[int, ...]
    versions: Mapping[str, str]
    time: str
    git: Mapping[str, Any]
    results: tuple[Result, ...]

    def number(self, task: str, method: str, metric: str) -> Result | None:
        """The number of that name, or None."""
        return self._by_name.get((task, method, metric))

    @property
    def methods(self) -> list[str]:
        """In the order of the file."""
        return list(dict.fromkeys(number.method for number in self.results))

    @cached_property
    def _by_name(self) -> dict[tuple[str, str, str], Result]:
        return {(number.task, number.method, number.metric): number for number in self.results}


def read_results(path: Path) -> ResultsFile:
    """Read and check one file.

    Raises:
        UserError: the file is absent, is no JSON or does not keep the schema; names the key.
    """
    path = Path(path)
    try:
        found = json.loads(path.read_text(), parse_constant=_refuse)
    except OSError as error:
        raise UserError(f"{path}: {error.strerror}; name a results.json") from error
    except ValueError as error:  # JSONDecodeError and UnicodeDecodeError are ValueErrors
        raise UserError(f"{path}: not JSON ({error}); evaluate again to write it anew") from error
    broken = sorted(_validator().iter_errors(found), key=lambda error: list(map(str, error.path)))
    if broken:
        raise UserError(f"{path}: {_said(broken[0])}; evaluate again to write it anew")
    numbers = [_number(row) for row in found["results"]]
    data = DataFacts(**{key: found["data"][key] for key in DataFacts.__dataclass_fields__})
    facts = {key: found[key] for key in ResultsFile.__dataclass_fields__ if key in found}
    return ResultsFile(
        path=path,
        **{
            **facts,
            "data": data,
            "seeds": tuple(found["seeds"]),
            "results": tuple(numbers),
        },
    )


def _number(row: dict[str, Any]) -> Result:
    return Result(**{key: row[key] for key in Result.__dataclass_fields__})


@cache
def _validator() -> Draft202012Validator:
    return Draft202012Validator(json.loads(SCHEMA.read_text()))


def _refuse(word: str) -> float:
    raise ValueError(f"{word} is no JSON number")


def _said(error: ValidationError) -> str:
    where = error.json_path.removeprefix("$").lstrip(".") or "the whole file"
    message = " ".join(error.message.split())
    return f"{where}: {message if len(message) <= 160 else message[:157] + '...'}"
