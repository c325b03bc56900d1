"""Time trained models at text to motion: many sentences in a batch, and one sentence at a time.

    python -m tests.benchmarks.text_to_motion outputs/runs/generate/* --clips 32 --turns 3

Each argument is what `MotionGPT.from_pretrained` opens: a run, a model folder, a root with one model; of
several runs of one method the first is timed. One sentence at a time is how a person asks, and how a demo does;
MDM's few steps against all of its diffusion's are timed by `diffusion_sampling`. The ways take turns in one
process; shown are the medians of a generated clip, and the smallest and largest ratio of one way to the other.
"""

import argparse
import statistics
import time
from collections.abc import Sequence

from motiongpt.api.opening import open_model
from motiongpt.errors import UserError
from motiongpt.methods.base import TEXT_TO_MOTION, Method, Request

SENTENCES = (
    "a person walks forward",
    "a person runs in a circle",
    "someone raises the right hand and waves",
    "a person kicks with the left foot",
)


def main() -> None:
    """Print the table, a model after the other."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmarks.text_to_motion", description=__doc__.partition("\n")[0]
    )
    parser.add_argument("models", nargs="+", metavar="RUN")
    parser.add_argument("--clips", type=int, default=32, help="default: 32")
    parser.add_argument("--frames", type=int, default=80, help="of each; default: 80")
    parser.add_argument("--turns", type=int, default=3, help="of each way; default: 3")
    words = parser.parse_args()
    print("| method | in a batch (s a clip) | one at a time (s a clip) | times as fast |")
    print("| --- | --- | --- | --- |", flush=True)
    seen = set()
    for where in words.models:
        method = _opened(where)
        if method is None or method.name in seen:
            continue
        seen.add(method.name)
        requests = _requests(method, words.clips, words.frames)
        print(_row(method.name, _turns(method, requests, words.turns)), flush=True)


def _opened(where: str) -> Method | None:
    """The method of a run; None, said, of one that makes no motion from words."""
    try:
        method = open_model(where, "cpu").method
    except UserError as error:
        print(f"- {where}: {error}", flush=True)
        return None
    return method if TEXT_TO_MOTION in method.tasks else None


def _requests(method: Method, clips: int, frames: int) -> list[Request]:
    wanted = min(frames, method.longest or frames)
    return [
        Request(str(number), TEXT_TO_MOTION, SENTENCES[number % len(SENTENCES)], wanted)
        for number in range(clips)
    ]


def _turns(method: Method, requests: Sequence[Request], turns: int) -> list[tuple[float, float]]:
    """Seconds a clip in a batch and one at a time, of each turn."""
    method.generate(requests[:2], 0)
    found = []
    for _ in range(turns):
        begun = time.perf_counter()
        method.generate(requests, 0)
        between = time.perf_counter()
        for request in requests:
            method.generate([request], 0)
        ended = time.perf_counter()
        found.append(((between - begun) / len(requests), (ended - between) / len(requests)))
    return found


def _row(label: str, turns: Sequence[tuple[float, float]]) -> str:
    batch, alone = (statistics.median(way) for way in zip(*turns, strict=True))
    ratios = [slow / fast for fast, slow in turns]
    spread = f"{statistics.median(ratios):.1f} ({min(ratios):.1f} to {max(ratios):.1f})"
    return f"| {label} | {batch:.4f} | {alone:.4f} | {spread} |"


if __name__ == "__main__":
    main()
