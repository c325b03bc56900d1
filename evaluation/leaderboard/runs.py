"""Our own results: found below folders, and told apart by what makes numbers comparable."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from evaluation.reports.report import SCHEMA
from evaluation.reports.results_file import RESULTS, ResultsFile, read_results
from motiongpt.errors import UserError


def gather(folders: Sequence[Path]) -> tuple[list[ResultsFile], list[str]]:
    """Every `results.json` below `folders`, oldest first, and what could not be read.

    A run and its committed copy count once: of one method, signature and protocol the newest stays.

    Returns:
        The results, and one line for each broken file: one bad file hides no other run. Files that
        say that they are of another kind are passed over.

    Raises:
        UserError: a folder that does not exist, or a broken file that was named itself.
    """
    newest: dict[tuple[str, ...], ResultsFile] = {}
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
                if not _of_another_kind(file):
                    broken.append(str(error))
                continue
            key = (found.method.name, found.signature, digest(found.protocol))
            if key not in newest or newest[key].time < found.time:
                newest[key] = found
    return sorted(newest.values(), key=lambda run: run.time), broken


def fact(run: ResultsFile, key: str) -> Any:
    """What tables pick and match runs by: `data`, `method`, `group`, or a fact of the method."""
    own = {"data": run.data.name, "method": run.method.name, "group": run.experiment.get("group")}
    return own[key] if key in own else run.method.facts.get(key)


def fits(run: ResultsFile, wanted: Mapping[str, Sequence[str]]) -> bool:
    """Whether each fact named in `wanted` has one of its values."""
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
    if card := run.data.card:
        said = f"nearest training clip {card['nearest_cm'][1]:.1f} cm (any {card['any_cm']:.1f})"
        if card["known_percent"] is not None:
            said += f", {card['known_percent']:.0f} % of captions in train"
        parts.append(said)
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


def run_label(run: ResultsFile, beside: Sequence[ResultsFile] = (), without: str = "") -> str:
    """Method first, then what tells the run from others, see `run_setting`."""
    setting = run_setting(run, beside, without)
    return f"{run.method.name} ({setting})" if setting else run.method.name


def run_setting(run: ResultsFile, beside: Sequence[ResultsFile] = (), without: str = "") -> str:
    """Facts of the method in their order, then the group, for a reader.

    Args:
        beside: what it is shown with: a fact that all of them of the same method share, and a
            group that all of them share, tell nothing and are left out.
        without: name of a fact that is shown elsewhere.
    """
    same = [one for one in beside if one.method.name == run.method.name]
    found = {
        key: value
        for key, value in run.method.facts.items()
        if key != without and _tells(key, same)
    }
    if without != "group" and run.experiment.get("group") and _tells("group", beside):
        found["group"] = run.experiment["group"]
    return ", ".join(f"{key.replace('_', ' ')} {_word(value)}" for key, value in found.items())


def _tells(key: str, runs: Sequence[ResultsFile]) -> bool:
    return len(runs) < 2 or len({str(fact(run, key)) for run in runs}) > 1


def experiment_key(run: ResultsFile, without: str) -> str:
    """Equal for runs of one method and group that differ in the fact `without` alone: a sweep."""
    facts = {key: value for key, value in run.method.facts.items() if key != without}
    return digest([run.method.name, run.experiment.get("group"), facts])


def run_anchor(run: ResultsFile) -> str:
    """Name of a run's entry on a page; no two runs that `gather` found share it."""
    return f"run-{digest([run.method.name, run.signature, dict(run.protocol)])}"


def run_facts(run: ResultsFile) -> dict[str, str]:
    """Everything that a number of this run depends on, for a reader."""
    facts = {
        "signature": f"{run.stage}/{run.signature}",
        "method": run.method.name,
        "facts": settings_text(run.method.facts),
        "experiment": settings_text(run.experiment),
        "data": f"{run.data.name}, {run.data.split} split, {run.data.clips:,} clips",
        "data fingerprint": run.data.fingerprint,
        "protocol": settings_text(run.protocol),
        "evaluator": settings_text(run.evaluator) if run.evaluator else "none",
        "captions": settings_text(run.captions) if run.captions else "none",
        "replications": str(run.protocol.get("replications", 1)),
        "seeds of replications": ", ".join(map(str, run.seeds)),
        "training seeds": _training(run),
        "versions": settings_text(run.versions),
        "code": settings_text(run.git),
        "date": run.time,
        "format": format_note(run),
    }
    return {key: value for key, value in facts.items() if value}


def _training(run: ResultsFile) -> str:
    if not run.training:
        return "not recorded"
    models = run.training.get("models", {"": run.training_seeds})  # several: see `training_seeds`
    said = (f"{one} {settings_text(seeds)}".strip() for one, seeds in models.items())
    return "; ".join(said) or "nothing was trained"


def format_note(run: ResultsFile) -> str:
    """That a file is in an older format, or nothing."""
    return "" if run.schema == SCHEMA else f"results of schema {run.schema}"


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


def settings_text(found: Mapping[str, Any]) -> str:
    """`key=value, key=value` with nested settings by dotted name."""
    return ", ".join(f"{key}={_word(value)}" for key, value in flat(found).items())


def _word(value: Any) -> str:
    if isinstance(value, list | tuple):
        return f"[{' '.join(map(str, value))}]"
    return "null" if value is None else str(value)


def _of_another_kind(file: Path) -> bool:
    """Whether it says itself that it is no evaluation, as a comparison of captions does."""
    try:
        found = json.loads(file.read_bytes())
    except (OSError, ValueError, RecursionError):
        return False
    return isinstance(found, dict) and "kind" in found


def _files(folder: Path) -> list[Path]:
    # An outputs root also holds motion stores and checkpoints: only its runs are searched.
    if folder.is_file():
        return [folder]
    runs = folder / "runs"
    return sorted((runs if runs.is_dir() else folder).rglob(RESULTS))
