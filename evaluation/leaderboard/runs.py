"""Our own results: found below folders, and told apart by what makes numbers comparable."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from evaluation.reports.results_file import RESULTS, ResultsFile, read_results
from motiongpt.errors import UserError

# Settings of an experiment that tell the runs of one sweep from those of another.
EXPERIMENT = ("group", "backbone", "tokenizer", "codebook_size", "frames_per_token", "tasks")


def gather(folders: Sequence[Path]) -> tuple[list[ResultsFile], list[str]]:
    """Every `results.json` below `folders`, oldest first, and what could not be read.

    A run and its committed copy count once: of one signature and one protocol the newest stays.

    Returns:
        The results, and one line for each broken file: one bad file hides no other run.

    Raises:
        UserError: a folder that does not exist, or a broken file that was named itself.
    """
    newest: dict[tuple[str, str], ResultsFile] = {}
    broken = []
    for folder in folders:
        if not Path(folder).exists():
            raise UserError(f"{folder}: no such folder; name one that holds runs")
        for file in _files(Path(folder)):
            try:
                found = read_results(file)
            except UserError as error:
                if file == Path(folder):
                    raise
                broken.append(str(error))
                continue
            key = (found.signature, digest(found.protocol))
            if key not in newest or newest[key].time < found.time:
                newest[key] = found
    return sorted(newest.values(), key=lambda run: run.time), broken


def fact(run: ResultsFile, key: str) -> Any:
    """A setting of a run by the name that tables use: `data`, or one of its experiment."""
    return run.data.name if key == "data" else run.experiment.get(key)


def fits(run: ResultsFile, wanted: Mapping[str, Sequence[str]]) -> bool:
    """Whether each setting named in `wanted` has one of its values."""
    return all(str(fact(run, key)) in values for key, values in wanted.items())


def setting_key(run: ResultsFile) -> tuple[str, ...]:
    """Equal for runs whose numbers may stand in one column: data, protocol and evaluator."""
    evaluator = run.evaluator["fingerprint"] if run.evaluator else ""
    data = run.data
    captions = digest(run.captions or {})
    return (
        data.name,
        data.fingerprint,
        data.split,
        str(data.clips),
        digest(run.protocol),
        str(evaluator),
        captions,
    )


def setting_label(run: ResultsFile) -> str:
    """The same for a reader, in one line."""
    parts = [
        f"data {run.data.name}",
        f"{run.data.split} split",
        f"{run.data.clips:,} clips",
        f"protocol {run.protocol['name']}",
        evaluator_label(run),
    ]
    if style := references(run):
        parts.append(f"{style} references")
    count = int(run.protocol.get("replications", 1))
    parts.append(f"{count} replication{'' if count == 1 else 's'}")
    return " · ".join(parts)


def references(run: ResultsFile) -> str:
    """Style of the reference captions under the run's protocol; empty where it records none."""
    return str(flat(run.protocol).get("scoring.references", ""))


def evaluator_label(run: ResultsFile) -> str:
    """Which network judged, with its word vectors and the start of its fingerprint."""
    if run.evaluator is None:
        return "no evaluator"
    words = f", {run.evaluator['words']} words" if "words" in run.evaluator else ""
    return f"evaluator {run.evaluator['name']}{words} ({str(run.evaluator['fingerprint'])[:8]})"


def run_label(run: ResultsFile, without: str = "") -> str:
    """What distinguishes a run at a glance; the setting named `without` is left out."""
    experiment = {key: value for key, value in run.experiment.items() if key != without}
    network = experiment.get("backbone") or experiment.get("tokenizer")
    parts = [
        str(network or ""),
        f"K {experiment['codebook_size']}" if experiment.get("codebook_size") else "",
        f"l {experiment['frames_per_token']}" if experiment.get("frames_per_token") else "",
    ]
    said = ", ".join(part for part in parts if part)
    return f"{experiment.get('group') or run.stage}{f' ({said})' if said else ''}"


def experiment_key(run: ResultsFile, without: str) -> str:
    """Equal for runs that differ in the setting `without` alone: the points of one sweep."""
    kept = {key: run.experiment.get(key) for key in EXPERIMENT if key != without}
    return digest(kept)


def run_facts(run: ResultsFile) -> dict[str, str]:
    """Everything that a number of this run depends on, for a reader."""
    facts = {
        "signature": f"{run.stage}/{run.signature}",
        "experiment": _settings(run.experiment),
        "data": f"{run.data.name}, {run.data.split} split, {run.data.clips:,} clips",
        "data fingerprint": run.data.fingerprint,
        "protocol": _settings(run.protocol),
        "evaluator": _settings(run.evaluator) if run.evaluator else "none",
        "captions": _settings(run.captions) if run.captions else "none",
        "replications": str(run.protocol.get("replications", 1)),
        "seeds": ", ".join(map(str, run.seeds)),
        "versions": _settings(run.versions),
        "code": _settings(run.git),
        "date": run.time,
    }
    return {key: value for key, value in facts.items() if value}


def flat(settings: Mapping[str, Any], above: str = "") -> dict[str, Any]:
    """Nested settings by dotted name."""
    found: dict[str, Any] = {}
    for key, value in settings.items():
        name = f"{above}{key}"
        found.update(flat(value, f"{name}.") if isinstance(value, Mapping) else {name: value})
    return found


def digest(value: Any) -> str:
    """Sixteen letters that are equal for equal plain values."""
    text = json.dumps(value, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _settings(found: Mapping[str, Any]) -> str:
    return ", ".join(f"{key}={_word(value)}" for key, value in flat(found).items())


def _word(value: Any) -> str:
    if isinstance(value, list | tuple):
        return f"[{' '.join(map(str, value))}]"
    return "null" if value is None else str(value)


def _files(folder: Path) -> list[Path]:
    # An outputs root also holds motion stores and checkpoints: only its runs are searched.
    if folder.is_file():
        return [folder]
    runs = folder / "runs"
    return sorted((runs if runs.is_dir() else folder).rglob(RESULTS))
