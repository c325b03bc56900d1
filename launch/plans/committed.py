"""Whether a file of numbers that was kept, as in `experiments/`, is what today's code would sign.

A results file, or a card of evaluators, says the overrides that make it and its data's fingerprint.
Both together are planned anew, without the data: another signature means that a default, a version
or a stage has changed since. That the data itself has changed shows only where it is at hand, see
`data_differs`.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from evaluation.cards import CARD
from evaluation.reports.results_file import RESULTS, read_results
from launch.composition.compose import Composer, compose_config
from launch.composition.datasets import known_store
from launch.composition.recorded import data_digest
from launch.plans.graph import plan_experiment
from motiongpt.data.clip import SourceMissing
from motiongpt.errors import UserError
from motiongpt.reading import read_json_object

README = "README.md"
# A line of a study's README that says of a file below it that it is not today's, and why.
MARK = re.compile(r"^- stale: `([^`]+)`: (.+)$", re.MULTILINE)


CARDS = f"{CARD}.json"


@dataclass(frozen=True)
class Kept:
    """What a kept file says of how it was made.

    Attributes:
        stage, signature: of the run.
        fingerprint: of its data.
        made: the overrides that make it, and a digest of its data's settings; empty in older files.
    """

    stage: str
    signature: str
    fingerprint: str
    made: Mapping[str, Any]


@dataclass(frozen=True)
class Checked:
    """One kept file.

    Attributes:
        path: of it.
        stale: why it is not today's; empty where it is.
        mark: what its study's README says of that; empty where it says nothing.
    """

    path: Path
    stale: str
    mark: str

    @property
    def wrong(self) -> str:
        """What is to be mended; empty where file and README agree."""
        if self.stale and not self.mark:
            return f"not today's, and no README says so: add `- stale: `PATH`: {self.stale}`"
        if self.mark and not self.stale:
            return f"today's, but a README calls it stale ({self.mark}): take that line out"
        return ""


def check_committed(folders: Sequence[Path], with_data: bool = False) -> list[Checked]:
    """Every results file and card below `folders`, in the order of their names.

    Args:
        with_data: also ask data that is at hand whether its fingerprint is still the same.

    Raises:
        UserError: a folder that is not there, or a file that can't be read.
    """
    found, composer = [], Composer()
    for folder in folders:
        if not folder.exists():
            raise UserError(f"{folder}: no such folder; name one that holds results")
        below = (file for name in (RESULTS, CARDS) for file in folder.rglob(name))
        files = [folder] if folder.is_file() else sorted(below)
        for path in (file for file in files if not _is_of_another_kind(file)):
            result = read_kept(path)
            stale = why_stale(result, composer)
            if with_data and not stale:
                stale = data_differs(result)
            found.append(Checked(path, stale, marks_above(path).get(path.resolve(), "")))
    return found


def read_kept(path: Path) -> Kept:
    """What a results file or a card says of how it was made.

    Raises:
        UserError: it can't be read, or does not say.
    """
    if path.name != CARDS:
        result = read_results(path)
        return Kept(result.stage, result.signature, result.data.fingerprint, result.made)
    try:
        found = read_json_object(path)
        stage, signature, data = found["stage"], found["signature"], found["data"]["fingerprint"]
        return Kept(str(stage), str(signature), str(data), dict(found.get("made") or {}))
    except (ValueError, KeyError, TypeError) as error:
        raise UserError(f"{path}: no card of evaluators ({error})") from error


def why_stale(result: Kept, composer: Composer) -> str:
    """Why a result's signature is not what today's plan would sign; empty where it is."""
    overrides = result.made.get("overrides")
    if overrides is None:
        return "it does not record the overrides that make it"
    try:
        composed = composer.compose(overrides)
        fingerprint, plain = result.fingerprint, composed.plain
        plan = plan_experiment(composed.config, Path(), fingerprint, plain=plain)
    except UserError as error:
        return f"its overrides can't be planned today: {error}"
    signatures = [one.run.signature for one in plan if one.run.stage == result.stage]
    if signatures != [result.signature]:
        today = ", ".join(signatures) or f"no stage {result.stage}"
        return f"its signature is {result.signature}, today's {today}"
    if data_digest(plain) != result.made.get("data"):
        return "the settings of its data are not today's"
    return ""


def data_differs(result: Kept) -> str:
    """How the data at hand differs from the result's; empty where it is the same, or absent."""
    try:
        folder, fingerprint = known_store(compose_config(result.made["overrides"]))
    except SourceMissing:
        return ""
    if not fingerprint or fingerprint == result.fingerprint:
        return ""
    return f"its data is {result.fingerprint[:12]}, in {folder} {fingerprint[:12]}"


def marks_above(path: Path) -> dict[Path, str]:
    """File -> why it is stale, of the lines in the READMEs of the folders above `path`."""
    found = {}
    for folder in path.resolve().parents[:4]:
        for file, why in marks_in(folder / README):
            found[file] = why
    return found


def marks_in(readme: Path) -> Iterator[tuple[Path, str]]:
    """The files that a README calls stale, and why."""
    if readme.exists():
        for file, why in MARK.findall(readme.read_text(encoding="utf-8")):
            yield (readme.parent / file).resolve(), why


def _is_of_another_kind(path: Path) -> bool:
    """Timings of tests/benchmarks are called results.json too; they have no signature."""
    return '"signature":' not in path.read_text(encoding="utf-8", errors="replace")
