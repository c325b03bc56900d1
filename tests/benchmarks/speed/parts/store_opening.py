"""Opening a data set of 30,000 clips in a new process."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from motiongpt.data.clip import Caption, Clip
from motiongpt.data.replace_folder import replacing_folder
from motiongpt.data.store import MotionStore
from motiongpt.data.store_writer import StoreWriter
from motiongpt.motion.skeleton import HUMANML3D
from tests.benchmarks.speed.part import ORIGINAL, Check, Findings, Part, Side

CLIPS = {"tiny": 20, "small": 5_000, "base": 30_000}
FRAMES = 40  # the shortest of HumanML3D, to spare the disk; ours takes as long for any length
CAPTIONS = 3
CAPTION = "a person walks forward and waves with the left hand number"


class StoreOpening(Part):
    """Thousands of files read into memory, or one store mapped."""

    title = "Opening a data set in a new process"
    unit = "clips"
    sides = (
        Side(ORIGINAL, "an .npy and a caption file a clip, all read into memory"),
        Side("ours", "MotionStore.open: arrays mapped, nothing copied"),
    )
    devices = ("cpu",)
    fresh_process = True
    repeats = 3

    def workload(self) -> str:
        """Clips and captions."""
        return (
            f"{self.units():,} clips of {FRAMES} frames x {HUMANML3D.n_features} features with "
            f"{CAPTIONS} captions each; the files lie in the system's cache"
        )

    def units(self) -> int:
        """Clips."""
        return CLIPS[self.settings.size]

    def make_files(self, folder: Path) -> None:
        """Write both: a folder in the original's layout, and a store with the same content."""
        names = [f"{number:06d}" for number in range(self.units())]
        rng = np.random.default_rng(self.settings.seed)
        features = rng.normal(size=(FRAMES, HUMANML3D.n_features)).astype(np.float32)
        (folder / "motions").mkdir()
        (folder / "texts").mkdir()
        (folder / "train.txt").write_text("\n".join(names) + "\n")
        for name in names:
            np.save(folder / "motions" / f"{name}.npy", _own(features, name))
            lines = [f"{one.text}#{one.tokens}#0.0#0.0\n" for one in _captions(name)]
            (folder / "texts" / f"{name}.txt").write_text("".join(lines))
        with replacing_folder(folder / "store") as made:
            _write_store(made, names, features)

    def work(self, side: str, folder: Path) -> Callable[[], Any]:
        """One side; everything is done when it runs."""
        if side == ORIGINAL:
            return lambda: _read_files(folder)
        return lambda: MotionStore.open(folder / "store")

    def findings(self, output: Any) -> Findings:
        """How many clips there are, and the last of them."""
        if isinstance(output, MotionStore):
            last = len(output) - 1
            motion, captions = output.features(last), [one.text for one in output.captions(last)]
        else:
            clip = list(output.values())[-1]
            motion, captions = clip["motion"], [text["caption"] for text in clip["text"]]
        return {
            "clips": np.array(len(output)),
            "motion": np.array(motion),
            "captions": np.array(captions),
        }

    def compare(self, original: Findings, own: Findings, dtype: str) -> Check:
        """As many clips, and the last of them the same."""
        same = all(np.array_equal(original[name], own[name]) for name in original)
        return Check(same, f"{int(own['clips']):,} clips; features and captions of the last")


def _read_files(folder: Path) -> dict[str, dict[str, Any]]:
    """Every clip's motion and captions, all in memory."""
    clips = {}
    for name in (folder / "train.txt").read_text().split():
        motion = np.load(folder / "motions" / f"{name}.npy")
        texts = []
        with open(folder / "texts" / f"{name}.txt") as lines:
            for line in lines:
                caption, tokens, start, end = line.strip().split("#")
                span = (float(start), float(end))
                texts.append({"caption": caption, "tokens": tokens.split(" "), "span": span})
        clips[name] = {"motion": motion, "length": len(motion), "text": texts}
    return clips


def _write_store(folder: Path, names: Sequence[str], features: np.ndarray) -> None:
    with StoreWriter(folder, HUMANML3D) as writer:
        for name in names:
            writer.add(Clip(name, "train", _captions(name)), _own(features, name))
    header = {
        "name": "benchmark",
        "fps": HUMANML3D.fps,
        "description": "made up for the benchmark",
        "normalisation": "humanml3d",
        "action_words": {},
    }
    width = HUMANML3D.n_features
    writer.finish(header, np.zeros(width), np.ones(width))


def _own(features: np.ndarray, name: str) -> np.ndarray:
    """The same features (T, F) for every clip but for one number."""
    features[0, 0] = int(name)
    return features


def _captions(name: str) -> tuple[Caption, ...]:
    texts = [f"{CAPTION} {name} {turn}" for turn in range(CAPTIONS)]
    return tuple(Caption(text, " ".join(f"{word}/X" for word in text.split())) for text in texts)


PART = StoreOpening
