"""`results.json` of a comparison: all findings with everything that they depend on."""

import hashlib
import json
import platform
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator

from evaluation.captions.court.findings import CORRECTION, LEVEL, Findings, Reversal
from evaluation.captions.court.scoring import LeftOut, Protocol

KIND, SCHEMA = "caption_court", 1
SCHEMA_FILE = Path(__file__).with_name("results_schema.json")
PACKAGES = ("numpy", "scipy", "motiongpt-platform")


@dataclass(frozen=True)
class Court:
    """A comparison, as the writers take it.

    Attributes:
        clips: how many were scored.
        references: name and SHA-256 of the file.
        systems: of each its name, its file's name and SHA-256, and how often it wrote nothing.
        git: commit of the code, and whether it was changed.
        seconds: that the comparison took.
    """

    findings: Findings
    protocols: Sequence[Protocol]
    left_out: Sequence[LeftOut]
    clips: int
    references: Mapping[str, Any]
    systems: Sequence[Mapping[str, Any]]
    resamples: int
    seed: int
    git: Mapping[str, Any]
    seconds: float

    @property
    def counts(self) -> dict[str, int]:
        """What the study is about, in six numbers."""
        found = self.findings
        return {
            "comparisons": len(found.comparisons),
            "told_apart": sum(one.told_apart for one in found.comparisons),
            "orders": found.orders,
            "reversals": len(found.reversals),
            "reversals_outside": sum(one.outside for one in found.reversals),
            "reversals_told_apart": sum(one.told_apart for one in found.reversals),
        }

    def as_json(self) -> dict[str, Any]:
        """The content of `results.json`, see its schema."""
        found = self.findings
        return {
            "kind": KIND,
            "schema": SCHEMA,
            "clips": self.clips,
            "references": dict(self.references),
            "systems": [dict(one) for one in self.systems],
            "protocols": [asdict(one) for one in self.protocols],
            "left_out": [asdict(one) for one in self.left_out],
            "bootstrap": {
                "over": "clips",
                "resamples": self.resamples,
                "seed": self.seed,
                "interval": "percentile",
                "level": LEVEL,
            },
            "test": {"name": "paired bootstrap, two-sided", "correction": CORRECTION},
            "counts": self.counts,
            "scores": [asdict(one) for one in found.scores],
            "comparisons": [
                {**asdict(one), "outside": one.outside, "told_apart": one.told_apart}
                for one in found.comparisons
            ],
            "reversals": [_reversal(one) for one in found.reversals],
            "versions": {
                **{name: version(name) for name in PACKAGES},
                "python": platform.python_version(),
            },
            "seconds": round(self.seconds, 1),
            "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
            "git": dict(self.git),
        }


def _reversal(found: Reversal) -> dict[str, Any]:
    return {
        "metric": found.here.metric,
        "first": found.here.first,
        "second": found.here.second,
        "first_ahead": found.here.protocol,
        "second_ahead": found.there.protocol,
        "outside": found.outside,
        "told_apart": found.told_apart,
    }


def file_facts(path: Path) -> dict[str, str]:
    """Name and SHA-256 of a file: what was scored, without saying where it lies."""
    return {"file": path.name, "sha256": hashlib.sha256(path.read_bytes()).hexdigest()}


@cache
def validator() -> Draft202012Validator:
    """Of the content of `results.json`."""
    return Draft202012Validator(json.loads(SCHEMA_FILE.read_text()))
