"""Choose the parity cases that every clone holds: `tests/golden/small`, of ../shared/parity.

    python -m tests.golden.small_selection ../shared/parity tests/golden/small

Only cases whose inputs are random or synthetic are chosen: no clip and no caption that somebody
published or recorded. What is kept of a file is kept bit for bit. tests/golden/small/README.md says
where each came from.
"""

import argparse
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np

from tests.shared import SMALL

MADE_UP = 'someone says "hi"'  # a text of `lm` that stands in no set of captions


@dataclass(frozen=True)
class Arrays:
    """What is kept of an .npz: names by patterns, and of some arrays only some rows."""

    keep: tuple[str, ...] = ("*",)
    drop: tuple[str, ...] = ()
    rows: tuple[int, ...] | None = None
    whole: tuple[str, ...] = ()  # are not cut to `rows`

    def __call__(self, arrays: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        return {name: self._cut(name, arrays[name]) for name in arrays if self._is_kept(name)}

    def _is_kept(self, name: str) -> bool:
        return _matches(name, self.keep) and not _matches(name, self.drop)

    def _cut(self, name: str, array: np.ndarray) -> np.ndarray:
        if self.rows is None or _matches(name, self.whole):
            return array
        return array[list(self.rows)]


@dataclass(frozen=True)
class Entries:
    """What is kept of a .json: all of it, or of a list the entries with a text that is made up."""

    made_up_only: bool = False

    def __call__(self, value: Any) -> Any:
        if not self.made_up_only:
            return value
        return [entry for entry in value if entry.get("text", MADE_UP) == MADE_UP]


SELECTED: dict[str, Callable[[Any], Any]] = {
    # What is extracted of the global positions is the features; the project has the offsets.
    "feats/h3d_synthetic1.npz": Arrays(drop=("extract_features_of_global", "tgt_offsets")),
    "feats/kit_synthetic1.npz": Arrays(drop=("extract_features_of_global", "ric_positions")),
    "vq/default_state_dict_shapes.json": Entries(),
    "vq/quantizer_ema_reset_train.npz": Arrays(),
    "vq/quantizer_ema_train.npz": Arrays(keep=("fewer_vectors_than_codes/*",)),
    "vq/quantizer_orig_train.npz": Arrays(keep=("fewer_vectors_than_codes/*",)),
    "vq/quantizer_reset_train.npz": Arrays(keep=("fewer_vectors_than_codes/*",)),
    # The first clip of forward_out is decode_first.
    "vq/small_kit251_eval.npz": Arrays(drop=("decode_first",)),
    "lm/generate_conditional_prompts.json": Entries(made_up_only=True),
    "lm/motion_strings.json": Entries(),
    "lm/placeholder_fulfill.json": Entries(made_up_only=True),
    "lm/span_corruption.npz": Arrays(),
    # The diversity, and all that is computed of distances, is in tm2t_end_to_end.
    "metrics/diversity_multimodality.npz": Arrays(keep=("mm_*", "seed_mm", "multimodality")),
    "metrics/r_precision.npz": Arrays(drop=("dist_np",)),
    "metrics/tm2t_end_to_end.npz": Arrays(
        keep=("emb*", "result*", "*seed*", "shuffle_idx", "diversity_times"),
        drop=("*ulti*odality",),
    ),
    "evaluator/full_size_state_dict_shapes.json": Entries(),
    # The longest clip and the shortest.
    "evaluator/kit.npz": Arrays(drop=("wrapper/*",), rows=(0, 6), whole=("sd/*",)),
    "checkpoint/further_keys_to_ignore.json": Entries(),
    "methods/actor/ablations.npz": Arrays(keep=("average_encoder/*",)),
    "methods/actor/facts.json": Entries(),
    "methods/mdm/schedule.npz": Arrays(keep=("cosine10_native/*", "cosine1000_respaced10/*")),
    "methods/mld/facts.json": Entries(),
    "methods/mld/scheduler.npz": Arrays(drop=("ddpm/*",)),
    "methods/momask/facts.json": Entries(),
    "methods/momask/mask_forward.npz": Arrays(),
    # Its weights are those of mask_forward.
    "methods/momask/mask_generate.npz": Arrays(keep=("cond", "m_lens", "cat_t13_k05/*")),
    # Another head than the one of several tokens, without gradients.
    "methods/motiongpt3/diffhead_single.npz": Arrays(drop=("loss/grad*", "train_diffusion/*")),
    "methods/motiongpt3/facts.json": Entries(),
    "methods/t2m_gpt/facts.json": Entries(),
    # The three hold the same weights.
    "methods/t2m_gpt/forward.npz": Arrays(),
    "methods/t2m_gpt/sample.npz": Arrays(drop=("w/*",)),
    "methods/t2m_gpt/targets.npz": Arrays(),
    # Rows of ids, without slices and windows of clips.
    "methods/tm2t/data_rules.npz": Arrays(
        keep=(
            "cfg/*",
            "in/words*",
            "in/tokens*",
            "in/drop*",
            "out/word_ids",
            "out/text_length",
            "out/motion_*",
        ),
        drop=("cfg/txt_unknown",),  # whose vector alone is checked
    ),
    "methods/tmr/infonce.npz": Arrays(keep=("in/*", "out/*", "loss/*", "boundary/*")),
    "methods/vposer_t/facts.json": Entries(),
    "methods/vposer_t/full_formula.npz": Arrays(),
    "methods/vposer_t/recon_metrics.npz": Arrays(),
}
# Of which nothing was left out.
WHOLE = frozenset(name for name, keep in SELECTED.items() if keep in (Arrays(), Entries()))


def selected(parity: Path, name: str) -> bytes:
    """The small file of one case, made of the whole one below `parity`."""
    source = parity / name
    if source.suffix == ".json":
        value = SELECTED[name](json.loads(source.read_text()))
        return (json.dumps(value, separators=(",", ":"), ensure_ascii=False) + "\n").encode()
    file = BytesIO()
    with np.load(source, allow_pickle=False) as arrays:
        np.savez_compressed(file, **SELECTED[name](arrays))
    return file.getvalue()


def _matches(name: str, patterns: tuple[str, ...]) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in patterns)


def main(arguments: list[str] | None = None) -> int:
    """Run from the command line; returns the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.golden.small_selection", description=__doc__.split("\n")[0]
    )
    parser.add_argument("parity", type=Path, help="the whole set")
    parser.add_argument("folder", type=Path, nargs="?", default=SMALL, help="gets the small one")
    words = parser.parse_args(arguments)
    total = 0
    for name in SELECTED:
        content = selected(words.parity, name)
        file = words.folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
        total += len(content)
        print(f"{len(content):9,} {name}")
    print(f"{total:9,} in all")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
