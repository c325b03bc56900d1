"""Which pretraining example a clip becomes: unsupervised, or translation one way or the other.

The paper mixes span corruption with supervised translation both ways. MotionGPT's released code
draws among three times "supervised", so that its T5 never sees span corruption; the share
`unsupervised=0` is that.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np

from motiongpt.backbones.motion_vocabulary import MotionVocabulary
from motiongpt.errors import UserError
from motiongpt.methods.motiongpt.tasks.clip_tokens import ClipTokens
from motiongpt.methods.motiongpt.tasks.example import Example, TokenExample
from motiongpt.methods.motiongpt.tasks.placeholders import RightPlaceholders
from motiongpt.methods.motiongpt.tasks.templates import Templates

MATERIALS = ("caption", "motion", "both")


class PretrainingMix:
    """Draws pretraining examples."""

    def __init__(
        self,
        codebook_size: int,
        objective: Callable[[str, np.random.Generator], Example | TokenExample],
        unsupervised: float = 0.34,
        text_to_motion: float = 0.33,
        motion_to_text: float = 0.33,
        materials: Mapping[str, float] | None = None,
        templates: str | Path | None = None,
        minimum_tokens: int = 3,
    ) -> None:
        """Weigh the objectives.

        Args:
            codebook_size: codes of the tokenizer.
            objective: makes an unsupervised example of a string (`training.unsupervised`).
            unsupervised: share of unsupervised examples.
            text_to_motion: share of captions to be translated into motion.
            motion_to_text: share of motions to be translated into captions.
            materials: share of unsupervised examples over the caption alone, the motion string
                alone, and both in one string; evenly by default.
            templates: JSON file in MotionGPT's format, of which classes t2m and m2t are used;
                None for the bare caption and the bare motion.
            minimum_tokens: shorter clips are no training examples.

        Raises:
            UserError: negative shares or none, an unknown material, or a fault of the templates.
        """
        self.vocabulary = MotionVocabulary(codebook_size)
        self.placeholders = RightPlaceholders(self.vocabulary)
        self.objective, self.minimum_tokens = objective, minimum_tokens
        self.shares = {
            "unsupervised": unsupervised,
            "text_to_motion": text_to_motion,
            "motion_to_text": motion_to_text,
        }
        self.materials = dict.fromkeys(MATERIALS, 1.0) if materials is None else dict(materials)
        unknown = set(self.materials) - set(MATERIALS)
        if unknown:
            raise UserError(
                f"unknown material {min(unknown)} for unsupervised pretraining; choose among "
                f"{', '.join(MATERIALS)}"
            )
        for weights in (self.shares, self.materials):
            if min(weights.values(), default=0) < 0 or not any(weights.values()):
                raise UserError(f"pretraining shares {weights}: give 0 or more, and not all 0")
        source = (
            Templates.packaged("pretraining") if templates is None else Templates.read(templates)
        )
        self.kinds = {
            "text_to_motion": source.of_classes(["t2m"]),
            "motion_to_text": source.of_classes(["m2t"]),
        }
        for name, kinds in self.kinds.items():
            if self.shares[name] and not kinds:
                raise UserError(f"{source.source}: no template for {name}; add one of its class")

    def accepts(self, clip: ClipTokens) -> bool:
        """Whether a pretraining example can be drawn for `clip`."""
        return clip.tokens >= self.minimum_tokens and bool(self._possible(clip))

    def example(self, clip: ClipTokens, rng: np.random.Generator) -> Example | TokenExample:
        """Draw one pretraining example of `clip`.

        Raises:
            UserError: the clip is too short, or has no caption where every objective needs one.
        """
        if not self.accepts(clip):
            raise UserError(
                f"clip {clip.name}: {clip.tokens} tokens and {len(clip.captions)} captions make no "
                f"pretraining example; leave it out (at least {self.minimum_tokens} tokens)"
            )
        chosen = _drawn(self._possible(clip), rng)
        caption = clip.captions[int(rng.integers(len(clip.captions)))] if clip.captions else ""
        if chosen == "unsupervised":
            return self.objective(self._material(clip, caption, rng), rng)
        kinds = self.kinds[chosen]
        kind = kinds[int(rng.integers(len(kinds)))]
        wording = kind.inputs[int(rng.integers(len(kind.inputs)))]
        output = kind.outputs[int(rng.integers(len(kind.outputs)))]
        return self.placeholders.example(wording, output, clip, caption, rng)

    def _possible(self, clip: ClipTokens) -> dict[str, float]:
        """Shares of what this clip can be; without a caption only its motion string is left."""
        if clip.captions:
            return {name: share for name, share in self.shares.items() if share}
        motion = bool(self.shares["unsupervised"] and self.materials.get("motion"))
        return {"unsupervised": 1.0} if motion else {}

    def _material(self, clip: ClipTokens, caption: str, rng: np.random.Generator) -> str:
        motion = self.vocabulary.write(clip.codes)
        strings = {"caption": caption, "motion": motion, "both": f"{caption} {motion}"}
        return strings[_drawn(self.materials, rng)] if clip.captions else motion


def _drawn(weights: Mapping[str, float], rng: np.random.Generator) -> str:
    names = list(weights)
    shares = np.array([weights[name] for name in names], np.float64)
    return names[int(rng.choice(len(names), p=shares / shares.sum()))]
