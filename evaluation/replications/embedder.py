"""Embeddings that are computed once: of a clip or sentence by its content, kept on disk.

Shape letters: N clips, T frames, F features, D width.
"""

import hashlib
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from evaluation.evaluators.base import Evaluator
from evaluation.replications.cases import filled
from evaluation.replications.rules import Rules
from motiongpt.arrays import read_arrays
from motiongpt.data.clip import Caption
from motiongpt.errors import UserError
from motiongpt.files import save_with

SHORTEST = 4  # frames; shorter motions are filled up with the mean pose
DIGEST = 16  # bytes


class Embedder:
    """Asks the evaluator for what it has not embedded yet.

    Where the evaluator sees padding (`packing=released`), an embedding depends on the other clips
    of its batch, and a whole list of clips is what is remembered.

    Args:
        evaluator: to ask.
        rules: of the protocol.
        mean: (F,) the pose that fills up motions that are too short to embed.
        folder: where embeddings of real clips are kept between evaluations, in one file for each
            evaluator and data set; None keeps them in memory only.
        fingerprint: of the data set.
    """

    def __init__(
        self,
        evaluator: Evaluator,
        rules: Rules,
        mean: np.ndarray,
        folder: Path | None = None,
        fingerprint: str = "",
    ) -> None:
        self.evaluator, self.rules, self.mean = evaluator, rules, mean
        self.longest = int(evaluator.description["max_frames"])
        self.file = None
        if folder is not None:
            self.file = Path(folder) / f"{evaluator.fingerprint}-{fingerprint[:16]}.npz"
        self._rows: dict[bytes, np.ndarray] = {}
        self._kept: dict[bytes, np.ndarray] = self._load()
        self.computed = 0

    def motions(self, clips: Sequence[np.ndarray], keep: bool = False) -> Tensor:
        """(N, D) float32 of motions (T, F); keep: also on disk, for real ones."""
        fitted = [self._fitted(clip) for clip in clips]
        digests = [_digest(clip, "motion") for clip in fitted]
        if self.rules.packing == "released":
            together = b"".join(digests)
            digests = [_digest(together, f"released {index}") for index in range(len(clips))]
            if any(self._known(digest) is None for digest in digests):
                self._remember(digests, self._embedded(fitted), keep)
        else:
            self._fill(digests, fitted, self._embedded, keep)
        return self._stacked(digests)

    def sentences(self, captions: Sequence[Caption | str], keep: bool = False) -> Tensor:
        """(N, D) float32 of sentences; a sentence without words is embedded as such."""
        digests = [
            _digest(str(caption).encode(), f"text {self.rules.text_words}") for caption in captions
        ]
        self._fill(
            digests,
            list(captions),
            lambda some: self.evaluator.text_embeddings(some, self.rules.text_words),
            keep,
        )
        return self._stacked(digests)

    def save(self) -> None:
        """Write what is to be kept; other processes may have written theirs meanwhile."""
        if self.file is None or not self._kept:
            return
        kept = {**self._load(), **self._kept}
        digests = np.frombuffer(b"".join(kept), np.uint8).reshape(len(kept), DIGEST)
        rows = np.stack(list(kept.values()))
        save_with(
            self.file,
            lambda path: np.savez(path, digests=digests, rows=rows),
            suffix=".npz",
        )

    def _fitted(self, clip: np.ndarray) -> np.ndarray:
        """At most as long as the evaluator takes, and at least one of its steps."""
        clip = np.ascontiguousarray(clip[: self.longest], np.float32)
        return filled(clip, SHORTEST, self.mean) if len(clip) < SHORTEST else clip

    def _embedded(self, clips: Sequence[np.ndarray]) -> np.ndarray:
        return self.evaluator.motion_embeddings(clips, self.rules.packing)

    def _fill(
        self,
        digests: Sequence[bytes],
        items: Sequence[Any],
        embed: Callable[[Sequence[Any]], np.ndarray],
        keep: bool,
    ) -> None:
        missing = {
            digest: item
            for digest, item in zip(digests, items, strict=True)
            if self._known(digest) is None
        }
        if missing:
            self._remember(list(missing), embed(list(missing.values())), keep)

    def _remember(self, digests: Sequence[bytes], rows: np.ndarray, keep: bool) -> None:
        self.computed += len(rows)
        (self._kept if keep else self._rows).update(zip(digests, rows, strict=True))

    def _known(self, digest: bytes) -> np.ndarray | None:
        found = self._kept.get(digest)
        return self._rows.get(digest) if found is None else found

    def _stacked(self, digests: Sequence[bytes]) -> Tensor:
        rows = [row for digest in digests if (row := self._known(digest)) is not None]
        found = torch.from_numpy(np.stack(rows))
        if self.rules.embeddings == "unit":
            found = torch.nn.functional.normalize(found, dim=-1)
        return found

    def _load(self) -> dict[bytes, np.ndarray]:
        if self.file is None or not self.file.exists():
            return {}
        try:
            found = read_arrays(self.file, most=sys.maxsize)  # as large as we wrote it
            digests, rows = found["digests"], found["rows"]
        except (OSError, ValueError, KeyError) as error:
            raise UserError(
                f"{self.file}: a broken cache of embeddings ({error}); delete it, it is made anew"
            ) from error
        return {digest.tobytes(): row for digest, row in zip(digests, rows, strict=True)}


def _digest(content: Any, purpose: str) -> bytes:
    found = hashlib.blake2b(purpose.encode(), digest_size=DIGEST)
    if isinstance(content, np.ndarray):
        found.update(repr(content.shape).encode())
    found.update(content)  # an array in one piece, or bytes
    return found.digest()
