"""The page of an evaluation, one file: clips real beside generated in 3-D, and all numbers."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from evaluation.replications.left_out import LeftOut, left_out_lines
from evaluation.replications.results import Result
from evaluation.reports.chosen_clips import TaskOutputs
from evaluation.reports.report import Origin
from evaluation.reports.result_page.numbers import task_tables
from evaluation.reports.result_page.reading import SCRIPTS
from evaluation.reports.result_page.showing import packed_outputs
from evaluation.reports.results_file import PAGE
from motiongpt.data.split_card import card_text
from motiongpt.data.store import MotionStore
from motiongpt.files import write_text
from motiongpt.viewer.html import PAGE as VIEWER
from motiongpt.viewer.html import readable, rendered, self_contained
from motiongpt.viewer.page import viewer_scripts


def write_result_page(
    folder: Path,
    outputs: Sequence[TaskOutputs],
    results: Sequence[Result],
    left_out: Sequence[LeftOut],
    origin: Origin,
    store: MotionStore,
    pictures: int,
    log: Callable[[str], None],
) -> Path:
    """Write `page.html` into `folder`.

    Args:
        outputs: of the tasks that can be shown.
        origin: of the run; the page shows its signature, in whichever folder it is written.
        pictures: clips a task, of different actions as far as possible; the worst come with them.
    """
    method = str(origin.method["name"])
    log("  evaluate: packing clips for page.html")
    data, without_room = packed_outputs(outputs, store, pictures, method)
    if without_room:
        log(f"  evaluate: {without_room} clips are left out of page.html, which would be too large")
    policy, tags = self_contained(viewer_scripts(SCRIPTS / "tables.js", SCRIPTS / "results.js"))
    page = rendered(
        SCRIPTS / "results.html",
        f"{method} on {store.name}",
        readable(VIEWER / "style.css") + readable(SCRIPTS / "results.css"),
        data,
        policy,
        tags,
        facts=_facts(origin),
        settings=_settings(origin),
        tables=task_tables(results, method),
        left_out=list(left_out_lines(left_out)),
    )
    path = Path(folder) / PAGE
    write_text(path, page)
    return path


def _facts(origin: Origin) -> dict[str, str]:
    """What tells this run from another, in the fewest words."""
    data = origin.data
    evaluator = origin.evaluator or {}
    return {
        "signature": origin.signature,
        "protocol": str(origin.protocol.get("name", "")),
        "evaluator": str(evaluator.get("name", "none")),
        "data": f"{data['name']} {str(data['fingerprint'])[:12]}, {data['split']}",
        "clips": str(data["clips"]),
    }


def _settings(origin: Origin) -> dict[str, str]:
    """All else that the numbers depend on."""
    found = {f"method: {name}": str(value) for name, value in origin.method["facts"].items()}
    found["seeds of the replications"] = ", ".join(map(str, origin.seeds))
    if seeds := origin.training.get("seeds"):
        found["training seeds"] = ", ".join(f"{stage} {seed}" for stage, seed in seeds.items())
    if overrides := origin.made.get("overrides"):
        found["made by"] = f"motiongpt run {' '.join(overrides)}"
    if card := origin.data.get("card"):
        found["data card"] = card_text(card)
    if commit := origin.git.get("git_commit"):
        found["commit"] = str(commit)
    found["protocol"] = ", ".join(f"{key}={value}" for key, value in _flat(origin.protocol))
    return found


def _flat(settings: Mapping[str, Any], before: str = "") -> list[tuple[str, Any]]:
    """Nested settings by dotted name."""
    found: list[tuple[str, Any]] = []
    for key, value in settings.items():
        name = f"{before}{key}"
        found += _flat(value, f"{name}.") if isinstance(value, Mapping) else [(name, value)]
    return found
