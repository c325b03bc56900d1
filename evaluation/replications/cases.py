"""From predictions to cases, under the rules of a protocol."""

import re
import string

import numpy as np

from evaluation.case import Case
from evaluation.replications.rules import Rules
from evaluation.requests.predictions import Outputs, PredictionSet, clip_indices
from motiongpt.data.clip import Caption
from motiongpt.data.store import MotionStore
from motiongpt.errors import UserError

UNIT = 4  # frames that T2M's data set crops clips to a multiple of
PUNCTUATION = re.compile(f"[{re.escape(string.punctuation)}]")


class CaseMaker:
    """Makes the cases of one set of predictions; real parts are read once.

    Args:
        predictions: the set.
        store: with its clips.
        rules: of the protocol.
        seed: of the crops that the rules may ask for; one crop a clip, whatever the replication.

    Raises:
        UserError: predictions of other data, or of more frames than a clip has.
    """

    def __init__(
        self, predictions: PredictionSet, store: MotionStore, rules: Rules, seed: int
    ) -> None:
        self.predictions, self.store, self.rules = predictions, store, rules
        about = predictions.about
        self.indices = clip_indices(about, store.names, store.fingerprint)
        for clip, index, frames in zip(about.clips, self.indices, about.frames, strict=True):
            if frames > store.lengths[index]:
                raise UserError(
                    f"predictions of {about.task}: {frames} frames of clip {clip}, which has "
                    f"{store.lengths[index]}; make them anew of this data"
                )
        draw = np.random.default_rng(seed)
        self.references = [
            store.features(index, 0, frames)
            for index, frames in zip(self.indices, about.frames, strict=True)
        ]
        if about.kind in ("motion", "text") and rules.clip_crop == "random_unit":
            self.references = [random_unit(clip, draw) for clip in self.references]
        self.captions = [store.captions(index) for index in self.indices]
        self.sentences = [
            tuple(_reference(caption, rules.references) for caption in captions)
            for captions in self.captions
        ]
        self.labels = [store.labels(index) for index in self.indices]
        self.given = [
            _mask(frames, *given) for frames, given in zip(about.frames, about.given, strict=True)
        ]

    def cases(self, replication: int) -> tuple[list[Case], list[Caption]]:
        """Cases of one replication, and the caption that each is about.

        Raises:
            UserError: the replication is absent or broken, names a caption that the clip does not
                have, or a motion is not finite.
        """
        outputs = self.predictions.read(replication, self.store.n_features)
        samples = self.predictions.about.samples
        self._check_finite(outputs, replication)
        cases, asked = [], []
        for number in range(len(outputs.texts)):
            index = number // samples
            captions = self.captions[index]
            said = max(0, outputs.captions[number])
            if captions and said >= len(captions):
                raise UserError(
                    f"predictions of {self.predictions.about.task}, replication {replication}: "
                    f"caption {said} asked for clip {self.predictions.about.clips[index]}, which "
                    f"has {len(captions)}; make them anew of this data"
                )
            caption = captions[said] if captions else Caption("")
            cases.append(self._case(index, outputs, number, caption.text))
            asked.append(caption)
        return cases, asked

    def _check_finite(self, outputs: Outputs, replication: int) -> None:
        about = self.predictions.about
        for number, motion in enumerate(outputs.motions):
            if np.isfinite(motion).all():
                continue
            frame = int((~np.isfinite(motion)).any(1).argmax())
            raise UserError(
                f"predictions of {about.task}, replication {replication}: the motion of clip "
                f"{about.clips[number // about.samples]} holds NaN or infinity in frame {frame}; "
                "make it anew or leave the clip out"
            )

    def _case(self, index: int, outputs: Outputs, number: int, caption: str) -> Case:
        motion = np.array(outputs.motions[number])
        if self.predictions.about.kind == "motion" and self.rules.motion_length == "reference":
            motion = filled(motion, len(self.references[index]), self.store.mean)
        return Case(
            name=self.predictions.about.clips[index],
            labels=self.labels[index],
            captions=self.sentences[index],
            caption=caption,
            prompt=outputs.prompts[number],
            reference=self.references[index],
            given=self.given[index][: len(self.references[index])],
            text=outputs.texts[number],
            features=motion,
            skeleton=self.store.skeleton,
        )


def filled(motion: np.ndarray, frames: int, pose: np.ndarray) -> np.ndarray:
    """The first `frames` of a motion (T, F), with `pose` (F,) where it has fewer."""
    missing = max(0, frames - len(motion))
    return np.concatenate([motion[:frames], np.repeat(pose[None], missing, axis=0)])


def random_unit(clip: np.ndarray, draw: np.random.Generator) -> np.ndarray:
    """T2M's crop: to a multiple of four frames, in one of three draws to four fewer."""
    units = len(clip) // UNIT - int(draw.integers(3) == 0)
    if units < 1:
        return clip
    first = int(draw.integers(len(clip) - UNIT * units + 1))
    return clip[first : first + UNIT * units]


def _mask(frames: int, start: int, end: int) -> np.ndarray:
    mask = np.zeros(frames, bool)
    mask[:start] = True
    mask[frames - end :] = True
    return mask


def _reference(caption: Caption, style: str) -> str:
    if style == "raw":
        return caption.text
    if caption.tokens:
        return " ".join(token.rpartition("/")[0] for token in caption.tokens.split())
    return " ".join(PUNCTUATION.sub(" ", caption.text.lower()).split())
