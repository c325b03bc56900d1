"""What an evaluation leaves: numbers with everything that they depend on, as JSON and as tables."""

import platform
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

from evaluation.replications.left_out import LeftOut, left_out_lines
from evaluation.replications.results import Result, markdown_table, plain_table
from motiongpt.data.split_card import card_text
from motiongpt.files import write_json, write_text

SCHEMA = 2  # of results_schema.json
PACKAGES = ("torch", "torchmetrics", "transformers", "lightning", "numpy", "motiongpt-platform")


@dataclass(frozen=True)
class Origin:
    """Everything that results depend on besides the code.

    Attributes:
        stage, signature: of the run.
        method: `name`, and `facts`: plain values that tell the method's rows apart in tables.
        experiment: what is no fact of the method: group, data.
        data: name, fingerprint, split and number of clips.
        protocol: all of its settings.
        evaluator: what the evaluator says of itself; None without.
        captions: settings of the caption scores.
        seeds: of the replications.
        git: commit of the code, and whether it was changed.
        training: `seeds`, stage -> training seed, and `recipe`, equal for runs that differ in these
            alone; empty where that is not known.
        made: `overrides` that make the run anew, and `data`, sixteen letters of the settings of its
            data: what `motiongpt check-results` compares; empty where that is not known.
    """

    stage: str
    signature: str
    method: Mapping[str, Any]
    experiment: Mapping[str, Any]
    data: Mapping[str, Any]
    protocol: Mapping[str, Any]
    evaluator: Mapping[str, Any] | None
    captions: Mapping[str, Any] | None
    seeds: Sequence[int]
    git: Mapping[str, Any]
    training: Mapping[str, Any] = field(default_factory=dict)
    made: Mapping[str, Any] = field(default_factory=dict)


def write_report(
    folder: Path, results: Sequence[Result], origin: Origin, left_out: Sequence[LeftOut] = ()
) -> None:
    """Write `results.json`, `table.md` and the same as plain text, `table.txt`, into `folder`.

    Args:
        left_out: numbers that could not be had; all three say why.
    """
    write_json(
        Path(folder) / "results.json",
        {
            "schema": SCHEMA,
            **{key: _plain(value) for key, value in vars(origin).items()},
            "versions": {
                **{name: version(name) for name in PACKAGES},
                "python": platform.python_version(),
            },
            "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
            "results": [asdict(result) for result in results],
            "left_out": [asdict(one) for one in left_out],
        },
    )
    name = str(origin.method["name"])
    below = [*_about(results, origin), *left_out_lines(left_out)]
    table = markdown_table(results, name)
    marked = "".join(f"\n- {line}" for line in below)
    write_text(Path(folder) / "table.md", table + ("\n" + marked if marked else "") + "\n")
    write_text(Path(folder) / "table.txt", "\n".join([plain_table(results, name), *below, ""]))


def _about(results: Sequence[Result], origin: Origin) -> Iterator[str]:
    """What is to be known of all numbers: which spread is printed, and the data card."""
    if any(result.interval is not None for result in results):
        student = origin.protocol.get("scoring", {}).get("intervals") == "student"
        kind = "Student's t" if student else "1.96 standard errors, as the field prints"
        yield (
            f"± is over replications ({kind}); what another training would move is not in it, see "
            "`seeds=3`"
        )
    if card := origin.data.get("card"):
        yield f"data card: {card_text(card)}"


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    return value
