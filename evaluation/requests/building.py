"""Requests of a protocol: which clips, which captions, what is given, how long.

Clips, lengths and given frames follow from the store and the protocol, so that they are the same
for every method, codec and downsampling rate. Shape letters: T frames, F features.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, get_args

import numpy as np
import torch

from evaluation.requests.kinds import KIND_OF_TASK
from evaluation.requests.predictions import About
from motiongpt.data.store import MotionStore
from motiongpt.errors import UserError
from motiongpt.methods.base import TASKS, Request
from motiongpt.motion.anchor import root_path

CaptionChoice = Literal["first", "random"]
Length = Literal["own", "given"]
SAMPLES = "_samples"
# 0.2 * 15 is 3.0000000000000004 and (1 - 0.8) * 5 is 0.9999999999999998: both mean a whole number.
ROUNDING = 1e-9


@dataclass(frozen=True)
class RequestSettings:
    """`protocol.requests`: how clips are put to every method.

    Attributes:
        caption: which of a clip's captions asks for a motion: its first, or one drawn anew for
            each replication (as T2M's evaluation does).
        length: of a motion of which no part is given: "own" (the method ends it) or "given" (that
            of the real clip). Where a part is given, the length is given too.
        multiple: lengths are cut to a multiple of so many frames; T2M's data set: 4.
        given: task -> shares of a clip that are given at its start and at its end.
        whole_clip: completions are shown the whole clip, as MotionGPT's released code does (A8).
        texts, samples, sample_replications: several motions of some texts; None of the last for
            as many replications as of the rest.
    """

    caption: CaptionChoice
    length: Length
    multiple: int
    given: Mapping[str, tuple[float, float]]
    whole_clip: bool
    texts: int
    samples: int
    sample_replications: int | None

    @classmethod
    def of(cls, settings: Mapping[str, Any]) -> "RequestSettings":
        """Out of `protocol.requests`.

        Raises:
            UserError: an unknown choice, or shares that leave nothing to generate.
        """
        several = settings["multimodality"]
        given = {str(task): tuple(shares) for task, shares in settings["given"].items()}
        for name, valid in (("caption", get_args(CaptionChoice)), ("length", get_args(Length))):
            if settings[name] not in valid:
                raise UserError(
                    f"protocol.requests.{name}={settings[name]}: choose one of {', '.join(valid)}"
                )
        if settings["multiple"] < 1:
            raise UserError(f"protocol.requests.multiple={settings['multiple']}: at least 1")
        for task, shares in given.items():
            if task not in TASKS or len(shares) != 2 or min(shares) < 0 or not 0 < sum(shares) < 1:
                raise UserError(
                    f"protocol.requests.given.{task}={list(shares)}: the shares of a clip that are "
                    f"given at its start and end, together below 1, of a task of {', '.join(TASKS)}"
                )
        return cls(
            caption=settings["caption"],
            length=settings["length"],
            multiple=settings["multiple"],
            given=given,
            whole_clip=settings["whole_clip"],
            texts=several["texts"],
            samples=several["samples"],
            sample_replications=several["replications"],
        )

    def frames(self, length: int) -> int:
        """Frames of a clip that are asked about."""
        return length // self.multiple * self.multiple

    def given_frames(self, task: str, frames: int) -> tuple[int, int]:
        """Frames of a clip that are given at its start and at its end; at least one of each."""
        shares = self.given.get(task, (0.0, 0.0))
        start, end = (max(1, int(share * frames + ROUNDING)) if share else 0 for share in shares)
        return start, end


@dataclass(frozen=True)
class RequestBuilder:
    """Builds the requests of one evaluation.

    Attributes:
        store: with the clips.
        settings: of the protocol.
        indices: clips that are evaluated.
        max_frames: a motion of free length ends here at the latest.
        replications: of outputs that may differ.
        seed: of the first replication; the next ones have the next seeds.
    """

    store: MotionStore
    settings: RequestSettings
    indices: Sequence[int]
    max_frames: int
    replications: int
    seed: int

    def sets(self, task: str, repeatable: bool) -> dict[str, About]:
        """Set name -> what its outputs are of; empty where no clip can be asked about.

        Args:
            repeatable: whether the method's outputs are the same in every replication.
        """
        usable = [index for index in self.indices if self._is_usable(task, index)]
        if not usable:
            return {}
        kind = KIND_OF_TASK[task]
        varies = not repeatable or (kind == "motion" and self.settings.caption == "random")
        frames = [self.settings.frames(int(self.store.lengths[index])) for index in usable]
        about = About(
            task=task,
            kind=kind,
            fingerprint=self.store.fingerprint,
            clips=[self.store.names[index] for index in usable],
            frames=frames,
            given=[self.settings.given_frames(task, count) for count in frames],
            seeds=[self.seed + number for number in range(self.replications if varies else 1)],
        )
        if kind != "motion" or not self.settings.texts:
            return {task: about}
        return {task: about, task + SAMPLES: self._samples(about)}

    def captions(self, about: About, replication: int) -> list[int]:
        """Number of the caption that each clip is asked with; -1 where none asks."""
        counts = [len(self.store.captions(index)) for index in self._clips(about)]
        if about.kind not in ("motion", "samples"):
            return [-1] * len(counts)
        rng = np.random.default_rng([self.seed, replication])
        drawn = [int(rng.integers(max(1, count))) for count in counts]
        chosen = [0] * len(counts) if self.settings.caption == "first" else drawn
        return [number if count else -1 for number, count in zip(chosen, counts, strict=True)]

    def requests(self, about: About, replication: int) -> tuple[list[Request], list[int]]:
        """Requests of one replication, `about.samples` a clip, and the captions that ask."""
        captions = self.captions(about, replication)
        found, asked = [], []
        for position, index in enumerate(self._clips(about)):
            request = self._request(about, position, index, captions[position])
            several = range(about.samples) if about.kind == "samples" else (None,)
            found += [replace(request, sample=sample) for sample in several]
            asked += [captions[position]] * len(several)
        return found, asked

    def _request(self, about: About, position: int, index: int, caption: int) -> Request:
        frames, (start, end) = about.frames[position], about.given[position]
        known = self.settings.length == "given" or start + end > 0
        text = self.store.captions(index)[caption].text if caption >= 0 else None
        request = Request(
            clip=about.clips[position],
            task=about.task,
            text=text,
            frames=frames if known else None,
            max_frames=self.max_frames,
        )
        if about.kind == "text":
            return replace(request, motion=self.store.features(index, 0, frames), frames=None)
        if not start + end:
            return request
        features = self.store.features(index, 0, frames)
        request = replace(
            request,
            start=features[:start] if start else None,
            end=features[frames - end :] if end else None,
            motion=features if self.settings.whole_clip else None,
        )
        return _placed(request, features, frames - end) if end else request

    def _samples(self, about: About) -> About:
        """Several motions for each of some of the clips, drawn once."""
        count = min(self.settings.texts, len(about.clips))
        rng = np.random.default_rng(self.seed)
        chosen = sorted(rng.choice(len(about.clips), count, replace=False))
        times = self.settings.sample_replications or self.replications
        return replace(
            about,
            kind="samples",
            clips=[about.clips[i] for i in chosen],
            frames=[about.frames[i] for i in chosen],
            given=[about.given[i] for i in chosen],
            seeds=[self.seed + number for number in range(times)],
            samples=self.settings.samples,
        )

    def _is_usable(self, task: str, index: int) -> bool:
        frames = self.settings.frames(int(self.store.lengths[index]))
        asks_with_words = KIND_OF_TASK[task] == "motion"
        if frames < 1 or (asks_with_words and not self.store.captions(index)):
            return False
        return sum(self.settings.given_frames(task, frames)) < frames

    def _clips(self, about: About) -> list[int]:
        known = {name: index for index, name in enumerate(self.store.names)}
        return [known[name] for name in about.clips]


def chosen_clips(store: MotionStore, split: str, count: int | None) -> list[int]:
    """Indices of the clips of a split, or of its first `count`.

    Raises:
        UserError: the split is unknown or has none, or no clip is asked for.
    """
    if count is not None and count < 1:
        raise UserError(f"protocol.clips={count}: at least 1, or null for all")
    indices = [int(index) for index in store.indices(split)]
    if not indices:
        raise UserError(
            f"the {split} split of {store.name} has no clips to evaluate; choose another with "
            "protocol.split"
        )
    return indices[:count]


def _placed(request: Request, features: np.ndarray, first: int) -> Request:
    """Where an end is given, so is its place: linear interpolation is told it too."""
    heading, position = root_path(torch.from_numpy(features))
    return replace(request, place=position[first, 0::2].numpy(), heading=float(heading[first]))
