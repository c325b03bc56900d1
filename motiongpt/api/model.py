"""A trained method for people: sentences and motions in, motions and sentences out.

Shape letters: T frames, F features.
"""

from __future__ import annotations

import hashlib
import shutil
import warnings
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from motiongpt.api.codec_only import CODEC
from motiongpt.api.ground import Ground
from motiongpt.api.inputs import (
    FREE_SECONDS,
    MotionLike,
    as_motions,
    as_texts,
    checked_frames,
    one_for_each,
    seed_of,
    texts_for_each,
)
from motiongpt.api.motion import Motion
from motiongpt.api.opening import Opened
from motiongpt.api.understanding import FarFromTraining, Understanding
from motiongpt.codecs.trained_codec import TrainedCodec
from motiongpt.data.training_captions import read_training_captions
from motiongpt.errors import UserError
from motiongpt.methods.base import (
    INBETWEEN,
    MOTION_TO_TEXT,
    PREDICTION,
    TEXT_TO_MOTION,
    Output,
    Request,
    cannot,
)
from motiongpt.motion.recover import features_to_joints
from motiongpt.published.card import model_card
from motiongpt.published.folder import TEMPLATES, write_model_folder

if TYPE_CHECKING:
    from motiongpt.motion.skeleton import Skeleton


class Model:
    """A trained method; `motiongpt.load` opens one.

    Every verb takes one input or a list of them, asks everything in one batch and gives a list.
    The same `seed` and the same inputs give the same result; without a seed it differs each time.

    Attributes:
        name: of the model.
        opened: where it lies and comes from.
        method: the networks behind it; `method.tasks` says what it can do.
        fps: frames per second of the motions that it generates; others are resampled.
        skeleton: of the motions that it reads and generates.
    """

    def __init__(self, opened: Opened) -> None:
        self.opened = opened
        self.method, self.name = opened.method, opened.name
        self.fps: float = opened.format.fps
        self.skeleton: Skeleton = opened.format.skeleton
        trained = read_training_captions(Path(one) for one in opened.folders.values())
        self._understanding = None if trained is None else Understanding(trained)

    def doubts(self, texts: str | Sequence[str]) -> list[str]:
        """A line for each sentence that is far from all training captions, as far as it is known.

        It names the words that no training caption has, and the nearest captions. A model of an
        earlier version, which keeps none, doubts nothing.
        """
        known = self._understanding
        return [] if known is None else known.doubts(as_texts(texts))

    def text_to_motion(
        self,
        texts: str | Sequence[str],
        frames: int | Sequence[int] | None = None,
        samples: int = 1,
        seed: int | None = None,
        **options: Any,
    ) -> list[Motion]:
        """Motions that do what the sentences say.

        A sentence that is far from all training captions is warned of (`doubts`).

        Args:
            frames: length, one for all or one each; None lets the method end.
            samples: motions of each sentence; they follow each other in the result.
            options: of the method, such as MotionGPT's `decoding`.

        Raises:
            UserError: an empty sentence, a length that the method can't generate, or a method that
                makes no motion of words.
        """
        self.check(TEXT_TO_MOTION)
        if isinstance(samples, bool) or not isinstance(samples, int) or samples < 1:
            raise UserError(f"samples={samples}: expected a whole number of at least 1")
        words = as_texts(texts)
        self._warn_of(words)
        lengths = [self._frames(one) for one in one_for_each(frames, len(words), "frames")]
        seen: Counter[str] = Counter()
        requests = []
        for text, count in zip(words, lengths, strict=True):
            for _ in range(samples):
                asked = Request("", TEXT_TO_MOTION, text, count, max_frames=self._free)
                requests.append(_numbered(asked, seen, text))
        outputs = self._outputs(requests, seed, **options)
        return [
            self._free_motion(request, output)
            for request, output in zip(requests, outputs, strict=True)
        ]

    def motion_to_text(
        self,
        motions: MotionLike | Sequence[MotionLike],
        seed: int | None = None,
        **options: Any,
    ) -> list[str]:
        """A sentence about each motion.

        Raises:
            UserError: a motion that is too long or of another skeleton, or a method without words.
        """
        self.check(MOTION_TO_TEXT)
        requests = [
            Request(_digest(motion.features), MOTION_TO_TEXT, motion=motion.features)
            for motion in as_motions(motions, self.skeleton, self.fps)
        ]
        return [output.text for output in self._outputs(requests, seed, **options)]

    def predict(
        self,
        motions: MotionLike | Sequence[MotionLike],
        frames: int | Sequence[int] | None = None,
        text: str | Sequence[str] | None = None,
        seed: int | None = None,
        **options: Any,
    ) -> list[Motion]:
        """Each motion and how it goes on; the given frames stay where and as they are.

        Args:
            frames: of the whole, the given ones included; None lets the method end.
            text: what happens, one for all or one each.

        Raises:
            UserError: a motion of another skeleton, a length with nothing to generate, or a method
                that predicts nothing.
        """
        self.check(PREDICTION)
        given = as_motions(motions, self.skeleton, self.fps)
        words = texts_for_each(text, len(given))
        self._warn_of(words)
        lengths = one_for_each(frames, len(given), "frames")
        requests = [
            Request(
                _digest(motion.features),
                PREDICTION,
                said or None,
                self._frames(count, motion.frames + 1),
                start=motion.features,
            )
            for motion, count, said in zip(given, lengths, words, strict=True)
        ]
        return self._completed(requests, given, seed, **options)

    def in_between(
        self,
        start: MotionLike | Sequence[MotionLike],
        end: MotionLike | Sequence[MotionLike],
        frames: int | Sequence[int],
        text: str | Sequence[str] | None = None,
        seed: int | None = None,
        **options: Any,
    ) -> list[Motion]:
        """A motion from each start to each end; both stay as they are, and stand where they stood.

        Args:
            start, end: motions of several frames, or of one pose: `motion[0]`, `motion[-1]`.
            frames: of the whole, both ends included.
            text: what happens between, one for all or one each.

        Raises:
            UserError: another number of starts than of ends, a motion of another skeleton, a
                length with nothing to fill, or a method that fills nothing.
        """
        self.check(INBETWEEN)
        starts = as_motions(start, self.skeleton, self.fps, "start")
        ends = as_motions(end, self.skeleton, self.fps, "end")
        if len(starts) != len(ends):
            raise UserError(f"{len(starts)} starts and {len(ends)} ends: give as many of each")
        words = texts_for_each(text, len(starts))
        self._warn_of(words)
        lengths = one_for_each(frames, len(starts), "frames")
        requests = []
        for first, last, count, said in zip(starts, ends, lengths, words, strict=True):
            whole = self._frames(0 if count is None else count, first.frames + last.frames + 1)
            requests.append(between_request(first, last, whole, said or None))
        return self._completed(requests, starts, seed, **options)

    def reconstruct(self, motions: MotionLike | Sequence[MotionLike]) -> list[Motion]:
        """Each motion encoded and decoded by the method's codec, where it stood, at its length.

        Raises:
            UserError: a motion of another skeleton, or a method without a codec.
        """
        codec = getattr(self.method, CODEC, None)
        if not isinstance(codec, TrainedCodec):
            raise UserError(f"method {self.method.name} has no codec, so it reconstructs nothing")
        given = as_motions(motions, self.skeleton, self.fps)
        made = codec.reconstruct([motion.features for motion in given])
        return [
            _placed(features, motion, motion.captions)
            for features, motion in zip(made, given, strict=True)
        ]

    def save_pretrained(self, folder: str | Path, name: str | None = None) -> Path:
        """Write a model folder, which `motiongpt.load` opens anywhere.

        One of `lookup`, which copies clips of its data, is opened only where the path of the store
        leads to the same store.
        """
        opened, path = self.opened, Path(folder)
        parts = {
            part: partial(shutil.copytree, where)
            for part, where in opened.folders.items()
            if part != TEMPLATES
        }
        write_model_folder(
            path,
            parts,
            method=self.method.name,
            name=name or self.name,
            format=opened.format,
            source=opened.source,
            templates=opened.folders.get(TEMPLATES),
            card=model_card,
        )
        return path

    def push_to_hub(self, repository: str, private: bool = False) -> str:
        """Upload the model to the Hugging Face hub as OWNER/NAME; gives the commit's address.

        Raises:
            UserError: a method that copies clips of its data (`lookup`): their licence is not ours
                to give; no network, or no right to write there.
        """
        import tempfile

        from motiongpt.published.hub import push_to_hub

        with tempfile.TemporaryDirectory() as parent:
            folder = self.save_pretrained(Path(parent) / repository.rpartition("/")[2])
            return push_to_hub(folder, repository, private)

    def __repr__(self) -> str:
        return (
            f"{type(self).__name__}({self.name!r}, method {self.method.name}, "
            f"{self.skeleton.name}, {self.fps:g} fps)"
        )

    def _outputs(
        self, requests: Sequence[Request], seed: int | None, **options: Any
    ) -> list[Output]:
        if options:
            raise UserError(
                f"method {self.method.name} has no option {next(iter(options))}; leave it out"
            )
        return self.method.generate(requests, seed_of(seed))

    def _completed(
        self,
        requests: Sequence[Request],
        starts: Sequence[Motion],
        seed: int | None,
        **options: Any,
    ) -> list[Motion]:
        outputs = self._outputs(requests, seed, **options)
        return [
            completed_motion(output, request, start)
            for output, request, start in zip(outputs, requests, starts, strict=True)
        ]

    def _free_motion(self, request: Request, output: Output) -> Motion:
        if output.motion is None or not len(output.motion):
            raise UserError(f"{request.text!r}: the method made no motion of it; ask for frames")
        captions = (request.text,) if request.text else ()
        return Motion.from_features(output.motion, self.fps, captions, self.skeleton)

    @property
    def _free(self) -> int:
        """Frames at which a motion of free length ends at the latest."""
        free = int(FREE_SECONDS * self.fps)
        return free if self.method.longest is None else min(free, self.method.longest)

    def _warn_of(self, texts: Sequence[str]) -> None:
        said = [text for text in texts if text]
        for line in self.doubts(said) if said else ():
            warnings.warn(line, FarFromTraining, stacklevel=3)

    def check(self, task: str) -> None:
        """Refuse a task that the method cannot do.

        Raises:
            UserError: names what it can do instead.
        """
        if task not in self.method.tasks:
            raise UserError(cannot(self.method.name, task, self.method.tasks))

    def _frames(self, frames: object, fewest: int = 0) -> int | None:
        if frames is None:
            return None
        why = f"{fewest - 1} are given" if fewest else "the shortest motion of this method"
        return checked_frames(frames, fewest or self.method.shortest, self.method.longest, why)


def completed_motion(output: Output, request: Request, start: Motion) -> Motion:
    """The whole motion, where its start stands in the world."""
    assert output.motion is not None
    frames = np.arange(len(output.motion))
    given = frames < (0 if request.start is None else len(request.start))
    if request.end is not None:
        given |= frames >= len(frames) - len(request.end)
    return _placed(output.motion, start, (request.text,) if request.text else (), given)


def _placed(
    features: np.ndarray, start: Motion, captions: Sequence[str], given: np.ndarray | None = None
) -> Motion:
    """A motion of features (T, F) that begins where `start` stands in the world."""
    joints = features_to_joints(torch.from_numpy(features), start.skeleton).numpy()
    joints = ground_of(start).put(joints).astype(np.float32)
    return Motion(joints, start.fps, captions, start.skeleton, given, features)


def ground_of(motion: Motion) -> Ground:
    """Where a motion stands, seen from its own features."""
    first = features_to_joints(torch.from_numpy(motion.features[:1]), motion.skeleton).numpy()
    return Ground.between(first[0], motion.joints[0])


def between_request(first: Motion, last: Motion, frames: int | None, text: str | None) -> Request:
    """In-between from one motion to another, each where it stands."""
    there = ground_of(last).seen_from(ground_of(first))
    return Request(
        _digest(first.features, last.features),
        INBETWEEN,
        text,
        frames,
        start=first.features,
        end=last.features,
        place=there.shift[0::2],
        heading=-there.angle / 2,  # features accumulate half the angle, the other way round
    )


def _numbered(request: Request, seen: Counter[str], text: str) -> Request:
    """Requests of the same words are told apart by their number."""
    seen[text] += 1
    return replace(request, sample=seen[text] - 1)


def _digest(*arrays: np.ndarray) -> str:
    found = hashlib.blake2b(digest_size=8)
    for array in arrays:
        found.update(np.ascontiguousarray(array).tobytes())
    return found.hexdigest()


def device_of(device: str | torch.device | None) -> torch.device:
    """A device that can be used; a GPU where None is given and there is one.

    Raises:
        UserError: it can't be used.
    """
    try:
        chosen = torch.device(device or ("cuda" if torch.cuda.is_available() else "cpu"))
        torch.empty(0, device=chosen)
    except (RuntimeError, AssertionError) as error:
        reason = str(error).splitlines()[0]
        raise UserError(f"device={device} can't be used: {reason}") from error
    return chosen
