"""Several motion sources as one: which they are, and how often the clips of each are drawn."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from motiongpt.data.clip import BadClip, Clip, MotionSource
from motiongpt.data.mix.store import BETWEEN
from motiongpt.errors import UserError
from motiongpt.motion.resample import checked_fps


class MixSource:
    """The clips of all members that have a weight, called "MEMBER--CLIP".

    Experiments do not read them here: they train on `mix.store.build_mix` of the members' stores.
    """

    expected_counts: Mapping[str, int] = {}

    def __init__(
        self,
        members: Mapping[str, Mapping[str, Any]],
        weights: Mapping[str, float | None],
        evaluate_on: str,
        fps: float = 20.0,
    ) -> None:
        """Check the names and weights; nothing is read yet.

        Args:
            members: name -> what a yaml of conf/data says, `source` being built.
            weights: name -> how often a training clip is drawn beside others; 0 leaves it out.
            evaluate_on: the member whose clips are asked for and judged.
            fps: frames per second of all.

        Raises:
            UserError: a name that is no member's, a weight below zero, none above it, or members of
                several skeletons or frame rates.
        """
        self.fps = checked_fps(fps)
        self.weights = _checked_weights(weights, members)
        if evaluate_on not in members:
            raise UserError(
                f"data.evaluate_on={evaluate_on}: no source of the mix; it has {_listed(members)}"
            )
        self.evaluate_on = evaluate_on
        self.members: dict[str, MotionSource] = {
            name: members[name]["source"] for name in self.weights
        }
        judged: MotionSource = members[evaluate_on]["source"]
        self.skeleton = judged.skeleton
        for name, source in {**self.members, evaluate_on: judged}.items():
            if (source.skeleton.name, source.fps) != (self.skeleton.name, self.fps):
                raise UserError(
                    f"data.members.{name}: skeleton {source.skeleton.name} at {source.fps:g} fps, "
                    f"in a mix of {self.skeleton.name} at {self.fps:g}; one model reads one kind "
                    f"(data.weights.{name}=0 leaves it out)"
                )
        self.description = " + ".join(f"{share:g} x {name}" for name, share in self.weights.items())

    @property
    def action_words(self) -> Mapping[str, tuple[str, ...]]:
        """Of all members."""
        return {
            label: words
            for source in self.members.values()
            for label, words in source.action_words.items()
        }

    def __len__(self) -> int:
        return sum(map(len, self.members.values()))

    def clips(self) -> Iterator[Clip | BadClip]:
        """Yield the clips of one member after the other."""
        for member, source in self.members.items():
            for clip in source.clips():
                yield replace(clip, name=f"{member}{BETWEEN}{clip.name}")


def _checked_weights(
    weights: Mapping[str, float | None], members: Mapping[str, object]
) -> dict[str, float]:
    """Those above zero, in the order of the members."""
    unknown = [name for name in weights if name not in members]
    if unknown:
        raise UserError(
            f"data.weights.{unknown[0]}: no source of the mix; it has {_listed(members)} "
            f"(+data@data.members.{unknown[0]}=CHOICE adds one, CHOICE being a yaml of conf/data)"
        )
    found = {name: float(weights.get(name) or 0.0) for name in members}
    for name, weight in found.items():
        if not 0 <= weight < math.inf:
            raise UserError(f"data.weights.{name}={weight:g}: expected a number, 0 or more")
    if not any(found.values()):
        raise UserError(f"data.weights: all are 0; give one of {_listed(members)} a weight")
    return {name: weight for name, weight in found.items() if weight > 0}


def _listed(members: Mapping[str, object]) -> str:
    return ", ".join(str(name) for name in members)
