"""What a perturbation is, how one is registered, and how it is applied to real clips.

A new one is a new file of this package with one function under `@perturbation`. It changes joints,
and features are made of these again by the project's own extraction; one that is defined on rows of
features says `gives="features"`. Shapes: T frames, J joints, F features.
"""

import importlib
import pkgutil
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal

import numpy as np
import torch
from torch.nn.utils.rnn import pad_sequence

from motiongpt.data.store import MotionStore
from motiongpt.errors import UserError
from motiongpt.motion.features import joints_to_features
from motiongpt.motion.recover import features_to_joints
from motiongpt.motion.skeleton import Skeleton

TOGETHER = 64  # clips whose features are made at once


@dataclass(frozen=True)
class RealClip:
    """A real clip that a perturbation is given.

    Attributes:
        features: (T, F), not normalised.
        skeleton, fps: of them.
        other: a clip of somebody else's, for perturbations that mix two.
    """

    features: np.ndarray
    skeleton: Skeleton
    fps: float
    other: "RealClip | None" = None

    @cached_property
    def joints(self) -> np.ndarray:
        """(T, J, 3) float32 metres, recovered from the features."""
        return features_to_joints(torch.tensor(self.features), self.skeleton).numpy()


Change = Callable[[RealClip, np.random.Generator], np.ndarray]


def real_clips(store: MotionStore, indices: Sequence[int], seed: int) -> list[RealClip]:
    """The clips of a store at `indices`, each with another one of them drawn beside it."""
    plain = [RealClip(store.features(int(index)), store.skeleton, store.fps) for index in indices]
    order = np.random.default_rng(seed).permutation(len(plain))
    other = dict(zip(order.tolist(), np.roll(order, 1).tolist(), strict=True))
    return [
        replace(clip, other=plain[other[position]] if len(plain) > 1 else None)
        for position, clip in enumerate(plain)
    ]


@dataclass(frozen=True)
class Perturbation:
    """One registered change.

    Attributes:
        name: as configurations write it.
        change: gives joints (T', J, 3) in metres, or features (T', F), see `gives`.
        gives: which of the two.
        drawn: whether it draws anything, so that each replication has another.
    """

    name: str
    change: Change
    gives: Literal["joints", "features"] = "joints"
    drawn: bool = False

    @property
    def title(self) -> str:
        """Its name as tables show it."""
        return self.name.replace("_", " ")

    @property
    def says(self) -> str:
        """What it does: the first paragraph of its docstring."""
        return " ".join((self.change.__doc__ or "").split("\n\n")[0].split())


_KNOWN: dict[str, Perturbation] = {}


def perturbation(
    gives: Literal["joints", "features"] = "joints", drawn: bool = False
) -> Callable[[Change], Change]:
    """Register a function under its name; see `Perturbation` for the arguments."""

    def register(change: Change) -> Change:
        name = str(getattr(change, "__name__", ""))
        _KNOWN[name] = Perturbation(name, change, gives, drawn)
        return change

    return register


def known_perturbations() -> dict[str, Perturbation]:
    """All of this package, by name."""
    package = __name__.rpartition(".")[0]
    for module in pkgutil.iter_modules(importlib.import_module(package).__path__):
        importlib.import_module(f"{package}.{module.name}")
    return dict(_KNOWN)


def perturbations_by_name(names: Sequence[str]) -> list[Perturbation]:
    """Those that a configuration lists.

    Raises:
        UserError: one that there is not; names the valid ones.
    """
    known = known_perturbations()
    for name in names:
        if name not in known:
            raise UserError(f"perturbation {name}: no such one; valid: {', '.join(sorted(known))}")
    return [known[name] for name in names]


def perturbed(
    clips: Sequence[RealClip], one: Perturbation, seed: int, replication: int = 0
) -> list[np.ndarray]:
    """Features (T', F) of each clip after the change, in the order given.

    What is drawn depends on the seed, the replication, the perturbation and the clip's position, so
    that which others are looked at changes nothing.
    """
    name = zlib.crc32(one.name.encode())
    number = replication if one.drawn else 0
    return applied(
        clips,
        one,
        [np.random.default_rng([seed, number, name, position]) for position in range(len(clips))],
    )


def applied(
    clips: Sequence[RealClip], one: Perturbation, rngs: Sequence[np.random.Generator]
) -> list[np.ndarray]:
    """Features (T', F) of each clip after the change, what it draws taken from a generator each."""
    changed = [one.change(clip, rng) for clip, rng in zip(clips, rngs, strict=True)]
    return changed if one.gives == "features" else features_of(changed, clips)


def made_again(clips: Sequence[RealClip]) -> list[np.ndarray]:
    """Features of the clips' unchanged joints: what the way there and back costs by itself."""
    return features_of([clip.joints for clip in clips], clips)


def features_of(joints: Sequence[np.ndarray], clips: Sequence[RealClip]) -> list[np.ndarray]:
    """Features (T' - 1, F) of joints (T', J, 3), many at a time, those of one length together."""
    found: list[np.ndarray] = [np.zeros(0)] * len(joints)
    order = sorted(range(len(joints)), key=lambda index: len(joints[index]))
    for first in range(0, len(order), TOGETHER):
        batch = order[first : first + TOGETHER]
        padded = pad_sequence(
            [torch.from_numpy(np.ascontiguousarray(joints[index], np.float32)) for index in batch],
            batch_first=True,
        )
        lengths = torch.tensor([len(joints[index]) for index in batch])
        rows = joints_to_features(padded, clips[batch[0]].skeleton, lengths).numpy()
        for index, made in zip(batch, rows, strict=True):
            found[index] = made[: len(joints[index]) - 1].copy()
    return found


def share_changed(
    before: Sequence[np.ndarray], after: Sequence[np.ndarray], std: np.ndarray
) -> float:
    """Share of clips in which a feature differs by more than a thousandth of its spread (F,)."""
    changed = [
        one.shape != other.shape or bool((np.abs(one - other) > 1e-3 * std).any())
        for one, other in zip(before, after, strict=True)
    ]
    return sum(changed) / max(1, len(changed))
