"""Names of the clips and the two ways to split them, functions of the names alone."""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass

# Second cuts of other takes, or an extra U-turn that contradicts the label.
EXCLUDED = frozenset(
    [f"dataset-2_walk-turn-left_normal_{number:03d}" for number in (31, 32, 33, 34)]
    + [f"dataset-2_walk-turn-right_normal_{number:03d}" for number in (4, 32, 33, 34, 35)]
    + [
        f"dataset-2_walk-turn-{side}_masculine_{number:03d}"
        for side in ("left", "right")
        for number in (6, 7)
    ]
)
# Not in every copy of the set; left out so that all copies give the same clips.
NOT_IN_ALL_COPIES = frozenset(["dataset-1_dance-long_normal_001"])

# Contents of dataset 1 with one or two clips: too few to hold any out.
RARE = frozenset(["call", "dance-long", "dance-short", "kick", "punch", "respond", "slash"])

DATASET_2_STYLES = frozenset(
    ["active", "elderly", "exhausted", "feminine", "masculine", "normal", "youthful"]
)
DATASET_2_CONTENTS = frozenset(
    ["walk", "walk-turn-left", "walk-turn-right", "run"]
    + [f"{verb}-{which}" for verb in ("wave", "raise-up")
       for which in ("both-hands", "left-hand", "right-hand")]
)  # fmt: skip

# Styles of dataset 1 under the name that dataset 2 has for them.
STYLE_IN_DATASET_2: Mapping[str, str] = {
    "old": "elderly",
    "tired": "exhausted",
    "masculinity": "masculine",
    "childish": "youthful",
}


@dataclass(frozen=True)
class ClipName:
    """The parts of `dataset-N_CONTENT_STYLE_ID`."""

    dataset: int
    content: str
    style: str
    number: int

    @classmethod
    def parse(cls, name: str) -> "ClipName | None":
        """The parts of `name`, or None if it is not a name of this data set."""
        parts = name.split("_")
        if len(parts) != 4 or not parts[3].isdigit() or parts[0] not in ("dataset-1", "dataset-2"):
            return None
        return cls(int(parts[0][-1]), parts[1], parts[2], int(parts[3]))

    def __str__(self) -> str:
        return f"dataset-{self.dataset}_{self.content}_{self.style}_{self.number:03d}"


def _percentile(name: ClipName) -> int:
    return int(hashlib.sha256(str(name).encode()).hexdigest()[:8], 16) % 100


def hash_split(name: ClipName) -> str | None:
    """80 / 5 / 15 % by a hash of the name; rare contents go to train.

    Takes repeat (a test clip's nearest train clip is about 2 cm away), so this test is easy.
    """
    percentile = _percentile(name)
    if percentile < 80 or (name.dataset == 1 and name.content in RARE):
        return "train"
    return "val" if percentile < 85 else "test"


def held_out_cell(content: str, style: str) -> bool:
    """Whether this content is never trained in this style: eight pairs of dataset 2."""
    digest = hashlib.sha256(f"cell:{content}|{style}".encode()).hexdigest()
    return int(digest[:8], 16) % 10 == 0


def held_out_cells_split(name: ClipName) -> str | None:
    """Test: eight content-style pairs of dataset 2 that training never sees.

    Clips of dataset 1 that show such a pair (under a style of the same meaning) belong to no
    split: they would give the pair away.
    """
    style = STYLE_IN_DATASET_2.get(name.style, name.style)
    known = name.content in DATASET_2_CONTENTS and style in DATASET_2_STYLES
    if known and held_out_cell(name.content, style):
        return "test" if name.dataset == 2 else None
    in_val = 80 <= _percentile(name) < 85 and name.content not in RARE
    return "val" if in_val else "train"


SPLITS: Mapping[str, Callable[[ClipName], str | None]] = {
    "hash": hash_split,
    "held_out_cells": held_out_cells_split,
}

# Clips per split of the whole set, counted on it.
EXPECTED_COUNTS: Mapping[str, Mapping[str, int]] = {
    "hash": {"train": 2403, "val": 163, "test": 497},
    "held_out_cells": {"train": 2611, "val": 151, "test": 296},
}
