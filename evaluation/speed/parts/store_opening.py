"""Opening a data set of 30,000 clips in a new process."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import ClassVar

import numpy as np

from evaluation.speed.part import (
    ORIGINAL,
    Check,
    Findings,
    Goal,
    Needs,
    Part,
    Repeats,
    Side,
    Work,
)
from motiongpt.data.clip import Caption, Clip
from motiongpt.data.replace_folder import replacing_folder
from motiongpt.data.store import MotionStore
from motiongpt.data.store_writer import StoreWriter
from motiongpt.motion.skeleton import HUMANML3D

CLIPS = {"tiny": 20, "small": 5_000, "base": 30_000}
FRAMES = 40  # the shortest of HumanML3D, to spare the disk; ours takes as long for any length
CAPTIONS = 3
CAPTION = "a person walks forward and waves with the left hand number"


class StoreOpening(Part):
    """Thousands of files read into memory, or one store mapped."""

    title = "Opening a data set in a new process"
    unit = "clips"
    devices = ("cpu",)
    fresh_process = True
    repeats: ClassVar[Mapping[str, Repeats]] = {
        "tiny": Repeats(1, 2),
        "small": Repeats(1, 3),
        "base": Repeats(1, 3),
    }

    def workload(self) -> str:
        """Clips and captions."""
        return (
            f"{CLIPS[self.settings.size]:,} clips of {FRAMES} frames x {HUMANML3D.n_features} "
            f"features with {CAPTIONS} captions each; the files lie in the system's cache"
        )

    def sides(self) -> Sequence[Side]:
        """Two files a clip, or the store."""
        return (
            Side(ORIGINAL, "float32", "an .npy and a caption file a clip, all read into memory"),
            Side(
                "ours",
                "float32",
                "MotionStore.open: arrays mapped, nothing copied",
                {"cpu": Goal(seconds=1.0, memory_bytes=300e6)},
            ),
        )

    def make_files(self, folder: Path) -> None:
        """Write both: a folder in the original's layout, and a store with the same content."""
        names = [f"{number:06d}" for number in range(CLIPS[self.settings.size])]
        draw = np.random.default_rng(self.settings.seed)
        features = draw.normal(size=(FRAMES, HUMANML3D.n_features)).astype(np.float32)
        (folder / "motions").mkdir()
        (folder / "texts").mkdir()
        (folder / "train.txt").write_text("\n".join(names) + "\n")
        for name in names:
            np.save(folder / "motions" / f"{name}.npy", _own(features, name))
            lines = [f"{one.text}#{one.tokens}#0.0#0.0\n" for one in _captions(name)]
            (folder / "texts" / f"{name}.txt").write_text("".join(lines))
        with replacing_folder(folder / "store") as made:
            _write_store(made, names, features)

    def work(self, side: str, folder: Path) -> Work:
        """One side; everything is done when it runs."""
        return _Original(folder) if side == ORIGINAL else _Ours(folder)

    def needs(self) -> Needs:
        """No calculation, and nothing that must be read before it is used."""
        return Needs(units=CLIPS[self.settings.size])

    def checks(self, found: Mapping[str, Findings]) -> list[Check]:
        """As many clips, and the last of them the same."""
        original, ours = found[ORIGINAL], found["ours"]
        same = all(np.array_equal(original[name], ours[name]) for name in original)
        return [Check(f"{int(ours['clips']):,} clips; features and captions of the last", same)]


class _Original:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.clips: dict[str, dict] = {}

    def run(self) -> None:
        for name in (self.folder / "train.txt").read_text().split():
            motion = np.load(self.folder / "motions" / f"{name}.npy")
            texts = []
            with open(self.folder / "texts" / f"{name}.txt") as lines:
                for line in lines:
                    caption, tokens, start, end = line.strip().split("#")
                    texts.append(
                        {
                            "caption": caption,
                            "tokens": tokens.split(" "),
                            "span": (float(start), float(end)),
                        }
                    )
            self.clips[name] = {"motion": motion, "length": len(motion), "text": texts}

    def findings(self) -> Findings:
        last = list(self.clips.values())[-1]
        captions = [text["caption"] for text in last["text"]]
        return {
            "clips": np.array(len(self.clips)),
            "motion": last["motion"],
            "captions": np.array(captions),
        }


class _Ours:
    def __init__(self, folder: Path) -> None:
        self.folder = folder / "store"
        self.store: MotionStore | None = None

    def run(self) -> None:
        self.store = MotionStore.open(self.folder)

    def findings(self) -> Findings:
        assert self.store is not None, "opened by `run`"
        last = len(self.store) - 1
        captions = [caption.text for caption in self.store.captions(last)]
        return {
            "clips": np.array(len(self.store)),
            "motion": self.store.features(last),
            "captions": np.array(captions),
        }


def _write_store(folder: Path, names: Sequence[str], features: np.ndarray) -> None:
    joints = np.zeros((FRAMES, HUMANML3D.n_joints, 3), np.float32)
    with StoreWriter(folder, HUMANML3D) as writer:
        for name in names:
            writer.add(Clip(name, "train", _captions(name)), _own(features, name), joints)
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
