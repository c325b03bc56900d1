"""`results.json` read back: checked against its schema, as typed values.

Files of schema 1 are read as what they mean today, see `first_schema`.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache, cached_property
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError

from evaluation.replications.left_out import LeftOut
from evaluation.replications.results import Result
from evaluation.reports.first_schema import upgraded
from evaluation.reports.report import SCHEMA
from motiongpt.errors import UserError

RESULTS = "results.json"
PAGE = "page.html"
"""Beside it, where clips were to be shown."""
SCHEMA_FILE = Path(__file__).with_name("results_schema.json")


@dataclass(frozen=True)
class DataFacts:
    """The motion that was evaluated on; `clips` of its `split` were requested, `card` says what the
    split has in common with train (see `motiongpt.data.card`; empty in older files)."""

    name: str
    fingerprint: str
    split: str
    clips: int
    card: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class MethodFacts:
    """What was evaluated.

    Attributes:
        name: of the method, as in conf/method.
        facts: plain values that tell its rows apart in tables, most telling first.
    """

    name: str
    facts: Mapping[str, Any]


@dataclass(frozen=True)
class ResultsFile:
    """One evaluation of one method under one protocol.

    Attributes:
        path: of the file.
        schema: version that the file was written in.
        experiment: what is no fact of the method: the group of runs that it belongs to.
        protocol: all resolved settings, `name` among them.
        evaluator, captions: what judged motions and sentences; None where nothing did.
        time: ISO 8601.
        left_out: numbers that could not be had; none in older files.
        training: `seeds` and `recipe`, and `made`: see `report.Origin`; empty in older files.
    """

    path: Path
    schema: int
    signature: str
    stage: str
    method: MethodFacts
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
    left_out: tuple[LeftOut, ...] = ()
    training: Mapping[str, Any] = field(default_factory=dict)
    made: Mapping[str, Any] = field(default_factory=dict)

    def number(self, task: str, row: str, metric: str) -> Result | None:
        """The number of that name, or None."""
        return self._by_name.get((task, row, metric))

    @property
    def training_seeds(self) -> Mapping[str, int]:
        """Stage -> training seed; empty where nothing was trained, or nothing is recorded."""
        found: Mapping[str, int] = self.training.get("seeds", {})
        return found

    @property
    def rows(self) -> list[str]:
        """The method's own outputs, real motion and baselines, in the order of the file."""
        return list(dict.fromkeys(number.row for number in self.results))

    @cached_property
    def _by_name(self) -> dict[tuple[str, str, str], Result]:
        return {(number.task, number.row, number.metric): number for number in self.results}


def read_results(path: Path) -> ResultsFile:
    """Read and check one file.

    Raises:
        UserError: the file is absent, is no JSON or does not keep the schema; names the key.
    """
    path = Path(path)
    try:
        found = json.loads(path.read_bytes().decode(), parse_constant=_refuse)
        json.dumps(found, ensure_ascii=False).encode()  # half a letter can't be shown
    except OSError as error:
        raise UserError(f"{path}: {error.strerror}; name a results.json") from error
    except (ValueError, RecursionError) as error:  # decoding errors are ValueErrors
        said = "nested too deep" if isinstance(error, RecursionError) else str(error)
        raise UserError(f"{path}: not JSON ({said}); evaluate again to write it anew") from error
    written = found.get("schema") if isinstance(found, dict) else None
    found = upgraded(found, SCHEMA)
    broken = sorted(_validator().iter_errors(found), key=lambda error: list(map(str, error.path)))
    if broken:
        raise UserError(f"{path}: {_said(broken[0])}; evaluate again to write it anew")
    numbers = [_number(row) for row in found["results"]]
    data = DataFacts(
        **{
            key: found["data"][key]
            for key in DataFacts.__dataclass_fields__
            if key in found["data"]
        }
    )
    method = found["method"]
    facts = {key: value for key, value in method["facts"].items() if value is not None}
    plain = {key: found[key] for key in ResultsFile.__dataclass_fields__ if key in found}
    return ResultsFile(
        path=path,
        **{
            **plain,
            "schema": written,
            "method": MethodFacts(method["name"], facts),
            "data": data,
            "seeds": tuple(found["seeds"]),
            "results": tuple(numbers),
            "left_out": tuple(LeftOut(**one) for one in found.get("left_out", ())),
        },
    )


def _number(row: dict[str, Any]) -> Result:
    return Result(**{key: row[key] for key in Result.__dataclass_fields__})


@cache
def _validator() -> Draft202012Validator:
    return Draft202012Validator(json.loads(SCHEMA_FILE.read_text()))


def _refuse(word: str) -> float:
    raise ValueError(f"{word} is no JSON number")


def _said(error: ValidationError) -> str:
    where = error.json_path.removeprefix("$").lstrip(".") or "the whole file"
    message = " ".join(error.message.split())
    return f"{where}: {message if len(message) <= 160 else message[:157] + '...'}"
