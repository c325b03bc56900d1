"""Make the package's small model: a quickstart's, halved, with what halving it changes.

python -m launch.small_model outputs                # after `motiongpt run experiment=quickstart`
"""

import argparse
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import load_file, save_file

from evaluation.evaluator_stage import EVALUATOR
from evaluation.evaluators.loading import load_evaluator
from evaluation.metrics.retrieval import hits_within, match_ranks, shuffled, split_into_pools
from evaluation.reports.results_file import RESULTS
from motiongpt.api.model import Model
from motiongpt.api.motion import Motion
from motiongpt.api.motiongpt import load
from motiongpt.api.run_record import RunRecord
from motiongpt.checksums import write_checksums
from motiongpt.data.store import MotionStore
from motiongpt.errors import UserError
from motiongpt.files import save_with, write_json
from motiongpt.published.small import FOLDER, SMALL

CLIPS, POOL, SEED = 320, 32, 0
MOST_BYTES = 10 << 20
WHOLE = ("mean", "std")  # statistics of the motion stay as they are: they are small
MEASURED = "measured.json"


def main(arguments: Sequence[str]) -> int:
    """Write the folder, and beside it what it can do."""
    parser = argparse.ArgumentParser(
        prog="python -m launch.small_model",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("root", type=Path, help="of `motiongpt run experiment=quickstart`")
    parser.add_argument("--store", type=Path, help="of its motion; default: the only one there")
    parser.add_argument("--out", type=Path, default=FOLDER, help="default: where it is looked for")
    parser.add_argument("--clips", type=int, default=CLIPS, help=f"measured on; default: {CLIPS}")
    options = parser.parse_args(arguments)
    whole = load(options.root, "cpu")
    store = MotionStore.open(options.store or _only(options.root / "data", "store.json").parent)
    folder = whole.save_pretrained(options.out, SMALL)
    halve(folder)
    judge = load_evaluator(
        _only(options.root / "runs" / EVALUATOR, f"*/{EVALUATOR}/evaluator.json").parent
    )
    measured = {
        name: measure(model, store, judge, options.clips)
        for name, model in {"float32": whole, "float16": load(folder, "cpu")}.items()
    }
    record = RunRecord.read(_instructed(options.root))
    results = _only(options.root / "runs" / "evaluate", f"*/{RESULTS}", required=False)
    write_json(
        folder / MEASURED,
        {
            "clips": options.clips,
            "pool": POOL,
            "seed": SEED,
            "weights": measured,
            "results_of_float32": str(results.parent.name) if results else None,
            "source": dict(whole.opened.source),
            "group": record.group,
        },
    )
    if results is not None:
        (folder / RESULTS).write_bytes(results.read_bytes())
    size = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
    if size > MOST_BYTES:
        raise UserError(f"{folder}: {size:,} bytes; at most {MOST_BYTES:,} are kept")
    print(f"{folder}: {size / 1e6:.1f} MB")
    for name, numbers in measured.items():
        print(name, "  ".join(f"{key} {value:.4g}" for key, value in numbers.items()))
    return 0


def halve(folder: Path) -> None:
    """Weights of a model folder in float16; they are computed with in float32 as before.

    Raises:
        UserError: a number that float16 can't hold.
    """
    for path in folder.rglob("*.safetensors"):
        tensors = {name: _halved(name, one) for name, one in load_file(path).items()}
        wrong = [name for name, one in tensors.items() if not torch.isfinite(one).all()]
        if wrong:
            raise UserError(f"{path}: {wrong[0]} holds numbers beyond float16")
        save_with(path, partial(save_file, tensors, metadata={"format": "pt"}), ".safetensors")
    parts = [one for one in folder.iterdir() if one.is_dir()]
    write_checksums(folder, (file for part in parts for file in part.rglob("*") if file.is_file()))


def measure(model: Model, store: MotionStore, judge: Any, clips: int) -> dict[str, float]:
    """R@1 of one draw a caption, and MPJPE of reconstruction in millimetres, on test clips."""
    indices = [int(index) for index in store.indices("test")[:clips]]
    real = [
        Motion.from_features(np.asarray(store.features(index)), model.fps, (), model.skeleton)
        for index in indices
    ]
    errors = [
        np.linalg.norm(_rooted(one) - _rooted(other), axis=-1).mean()
        for one, other in zip(real, model.reconstruct(real), strict=True)
    ]
    captions = [store.captions(index)[0] for index in indices]
    frames = [motion.frames for motion in real]
    made = model.text_to_motion([one.text for one in captions], frames, seed=SEED)
    words = torch.from_numpy(judge.text_embeddings(captions))
    order = shuffled(len(indices), SEED)
    found = {"mpjpe_mm": 1000 * float(np.mean(errors))}
    for name, motions in (("r_at_1", made), ("r_at_1_real", real)):
        moved = torch.from_numpy(judge.motion_embeddings([one.features for one in motions]))
        told, shown = (split_into_pools(one[order], POOL) for one in (words, moved))
        hits = hits_within(match_ranks(torch.cdist(told, shown)), 1)
        found[name] = float(hits.double().mean())
    return found


def _rooted(motion: Motion) -> np.ndarray:
    return motion.joints - motion.joints[:, :1]


def _halved(name: str, tensor: torch.Tensor) -> torch.Tensor:
    plain = tensor.dtype != torch.float32 or name.rpartition(".")[2] in WHOLE
    return tensor if plain else tensor.half()


def _instructed(root: Path) -> Path:
    return _only(root / "runs" / "instruct", "*/config.json").parent


def _only(folder: Path, pattern: str, required: bool = True) -> Any:
    found = sorted(folder.glob(pattern)) or sorted(folder.glob(f"*/{pattern}"))
    if len(found) == 1:
        return found[0]
    if not found and not required:
        return None
    raise UserError(f"{folder}: {len(found)} of {pattern}; expected one: use a root of its own")


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except UserError as error:
        sys.exit(f"small_model: {error}")
