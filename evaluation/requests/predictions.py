"""Predictions, the saved outputs of a method: made once, scored later under any protocol.

A folder for each set of outputs:

- `about.json`: task, kind of output, data fingerprint, names of the clips, frames of each that were
  asked about and given, motions made for each (`samples`), and the seeds of its replications.
- `replication_00.json`, `replication_01.json` ..: for each output the number of the caption that
  asked (-1 for none), the prompt, the sentence and the number of frames.
- `replication_00.npy` ..: motions end to end, (sum of frames, F) float32 or float16, not
  normalised; there is none where the outputs are sentences.

A replication counts as there once its .json is, which is written last. Other systems' motions, in
forms of their own, are made into such sets by `evaluation.external`.
Shape letters: N clips, S samples of each, T frames, F features.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal, get_args

import numpy as np

from evaluation.requests.kinds import OLD_NAMES, Kind
from evaluation.requests.saved_values import wrong_in_description, wrong_in_outputs
from motiongpt.arrays import map_array
from motiongpt.errors import UserError
from motiongpt.files import save_array, write_json
from motiongpt.reading import read_json_object

PREDICTIONS = "predictions"
ABOUT = "about.json"
Stored = Literal["float32", "float16"]


@dataclass(frozen=True)
class About:
    """What a set of outputs is.

    Attributes:
        task: its name; in tables too.
        kind: of output.
        fingerprint: of the motion store that the clips are in.
        clips: N names.
        frames: of each clip that were asked about, from its first on.
        given: frames of each clip that were given at its start and at its end.
        seeds: of the replications, one for each.
        samples: S, motions made for each clip.
        stored: type of the numbers of motions on disk.
    """

    task: str
    kind: Kind
    fingerprint: str
    clips: list[str]
    frames: list[int]
    given: list[tuple[int, int]]
    seeds: list[int]
    samples: int = 1
    stored: Stored = "float32"


@dataclass(frozen=True)
class Outputs:
    """One replication: N * S outputs, those of a clip after one another.

    Attributes:
        captions: numbers of the captions that asked, -1 for none.
        prompts: what the model read.
        texts: sentences, empty for motions.
        motions: (T, F) each, (0, F) for sentences.
    """

    captions: list[int]
    prompts: list[str]
    texts: list[str]
    motions: list[np.ndarray]


class PredictionSet:
    """One folder of outputs, for reading and for adding replications."""

    def __init__(self, folder: Path, about: About) -> None:
        self.folder, self.about = Path(folder), about

    @classmethod
    def open(cls, folder: Path) -> "PredictionSet":
        """Open what `create` or another program wrote.

        Raises:
            UserError: nothing there, or `about.json` does not say what it must.
        """
        path = Path(folder) / ABOUT
        try:
            fields = read_json_object(path)
            fields["kind"] = OLD_NAMES.get(fields["kind"], fields["kind"])
            fields["given"] = [(int(start), int(end)) for start, end in fields["given"]]
            about = About(**fields)
        except FileNotFoundError as error:
            raise UserError(
                f"{folder}: no predictions here (no {ABOUT}); run the generate stage: "
                "motiongpt run goal=generate"
            ) from error
        except (OSError, ValueError, TypeError, KeyError) as error:
            raise UserError(f"{path}: not a description of predictions ({error})") from error
        if wrong := wrong_in_description(asdict(about)):
            raise UserError(f"{path}: {wrong}: not a description of predictions; make it anew")
        counts = {len(about.clips), len(about.frames), len(about.given)}
        if about.stored not in get_args(Stored):
            raise UserError(f"{path}: stored {about.stored}; valid: {', '.join(get_args(Stored))}")
        if about.kind not in get_args(Kind) or len(counts) > 1 or not about.seeds:
            raise UserError(
                f"{path}: kind {about.kind}, {len(about.clips)} clips, {len(about.frames)} frames, "
                f"{len(about.given)} given parts, {len(about.seeds)} seeds; expected a kind of "
                f"{', '.join(get_args(Kind))}, equal numbers and a seed"
            )
        return cls(folder, about)

    @classmethod
    def create(cls, folder: Path, about: About) -> "PredictionSet":
        """Begin a set, or go on with the same one; replications that are there stay."""
        write_json(Path(folder) / ABOUT, asdict(about))
        return cls(folder, about)

    def has(self, replication: int) -> bool:
        """Whether this replication has been written."""
        return self._path(replication, "json").exists()

    def write(self, replication: int, outputs: Outputs) -> None:
        """Add a replication; a crash leaves it whole or absent.

        Raises:
            UserError: a number is too large for the type that numbers are kept in.
        """
        lengths = [len(motion) for motion in outputs.motions]
        if sum(lengths):
            save_array(self._path(replication, "npy"), self._as_stored(outputs.motions))
        write_json(
            self._path(replication, "json"),
            {
                "captions": outputs.captions,
                "prompts": outputs.prompts,
                "texts": outputs.texts,
                "lengths": lengths,
            },
        )

    def read(self, replication: int, n_features: int) -> Outputs:
        """One replication.

        Raises:
            UserError: it is absent, or its files don't agree with each other.
        """
        path = self._path(replication, "json")
        try:
            found = read_json_object(path)
            parts = (found["captions"], found["prompts"], found["texts"], found["lengths"])
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise UserError(
                f"{path}: replication {replication} is absent or broken; run the generate stage "
                "again"
            ) from error
        expected = len(self.about.clips) * self.about.samples
        if {len(part) for part in parts} != {expected}:
            raise UserError(f"{path}: {len(found['texts'])} outputs; expected {expected}")
        if wrong := wrong_in_outputs(found):
            raise UserError(f"{path}: {wrong}; run the generate stage again")
        ends = np.cumsum(found["lengths"], dtype=np.int64)
        frames = np.zeros((0, n_features), np.float32)
        if len(ends) and ends[-1]:
            frames = self._frames(replication, int(ends[-1]), n_features)
        motions = [
            frames[end - length : end].astype(np.float32, copy=False)
            for end, length in zip(ends, parts[3], strict=True)
        ]
        return Outputs(parts[0], parts[1], parts[2], motions)

    def _as_stored(self, motions: Sequence[np.ndarray]) -> np.ndarray:
        frames = np.concatenate(motions)
        largest = float(np.finfo(self.about.stored).max)
        if (np.abs(frames[np.isfinite(frames)]) > largest).any():
            raise UserError(
                f"{self.folder}: a feature is larger than {largest:g}, the most that "
                f"{self.about.stored} can hold; keep stored=float32"
            )
        return frames.astype(self.about.stored)

    def _frames(self, replication: int, count: int, n_features: int) -> np.ndarray:
        path = self._path(replication, "npy")
        try:
            frames = map_array(path)
        except (OSError, ValueError) as error:
            raise UserError(f"{path}: no array of motions; run the generate stage again") from error
        if frames.shape != (count, n_features):
            raise UserError(f"{path}: shape {frames.shape}; expected ({count}, {n_features})")
        if not np.issubdtype(frames.dtype, np.floating):
            raise UserError(
                f"{path}: {frames.dtype}; expected real numbers, as {self.about.stored}"
            )
        return frames

    def _path(self, replication: int, ending: str) -> Path:
        return self.folder / f"replication_{replication:02d}.{ending}"


def prediction_sets(folder: Path) -> list[PredictionSet]:
    """All sets directly below `folder`, by name.

    Raises:
        UserError: there is none, or one is broken.
    """
    found = sorted(path.parent for path in Path(folder).glob(f"*/{ABOUT}"))
    if not found:
        raise UserError(
            f"{folder}: no predictions below it; run the generate stage: motiongpt run "
            "goal=generate"
        )
    return [PredictionSet.open(path) for path in found]


def clip_indices(about: About, names: Sequence[str], fingerprint: str) -> list[int]:
    """Where the clips of a set are in a motion store.

    Raises:
        UserError: the set was made of another store.
    """
    if about.fingerprint != fingerprint:
        raise UserError(
            f"predictions of {about.task}: made of data {about.fingerprint[:12]}, these are "
            f"{fingerprint[:12]}; score them with the data that they were made of"
        )
    indices = {name: index for index, name in enumerate(names)}
    missing = [name for name in about.clips if name not in indices]
    if missing:
        raise UserError(f"predictions of {about.task}: no clip {missing[0]} in the data")
    return [indices[name] for name in about.clips]
