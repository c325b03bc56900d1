"""What the tokenizer is trained to do: reconstruct, move alike, and stay near its codes."""

from collections.abc import Sequence

from torch import Tensor

from motiongpt.codecs.base import TokenizerOutput
from motiongpt.codecs.distances import distance_by_name
from motiongpt.errors import UserError
from motiongpt.motion.skeleton import Skeleton

ROOT = slice(0, 4)
"""The root's turn about Y, its way over the floor and its height, of HumanML3D's features."""


def velocity_range(channels: str | Sequence[int], skeleton: Skeleton) -> slice:
    """The channels that the velocity loss looks at.

    Args:
        channels: "positions" (4:67 of HumanML3D's features: what the released code takes),
            "velocities" (193:259: what the name says), or [first, end].

    Raises:
        UserError: none of these, or a range outside the features.
    """
    others = skeleton.n_joints - 1
    named = {
        "positions": (4, 4 + 3 * others),
        "velocities": (4 + 9 * others, 4 + 9 * others + 3 * skeleton.n_joints),
    }
    if isinstance(channels, str):
        if channels not in named:
            raise UserError(
                f"losses.velocity_channels is {channels!r}; choose positions, velocities or a "
                "range such as [193, 259]"
            )
        return slice(*named[channels])
    first, end = channels if len(channels) == 2 else (0, 0)
    if not 0 <= first < end <= skeleton.n_features:
        raise UserError(
            f"losses.velocity_channels is {list(channels)}; expected [first, end] with "
            f"0 <= first < end <= {skeleton.n_features}"
        )
    return slice(first, end)


class TokenizerLosses:
    """reconstruction + velocity x (the same on some channels) + commitment x the quantizer's loss
    + root x (the same on the root's channels).

    Args:
        skeleton: tells where the channels are.
        reconstruction: l1_smooth, l1 or l2.
        velocity: weight; 0.5 as released.
        commitment: weight; 0.02 as released.
        velocity_channels: see `velocity_range`.
        root: weight; 0 as released. The root's turn, way and height are 4 of 263 channels, of which
            a short training learns nothing: a person who turns stays as they stand. (TM2T divides
            their deviations by 5 to the same end.)

    Raises:
        UserError: unknown reconstruction or velocity channels; the valid ones are listed.
    """

    def __init__(
        self,
        skeleton: Skeleton,
        reconstruction: str = "l1_smooth",
        velocity: float = 0.5,
        commitment: float = 0.02,
        velocity_channels: str | Sequence[int] = "positions",
        root: float = 0.0,
    ) -> None:
        self.distance = distance_by_name("losses.reconstruction", reconstruction)
        self.velocity, self.commitment, self.root = velocity, commitment, root
        self.velocity_channels = velocity_range(velocity_channels, skeleton)

    def __call__(self, output: TokenizerOutput, target: Tensor) -> dict[str, Tensor]:
        """Unweighted parts and their weighted sum, `total`; all scalars, means over content only.

        Args:
            target: (B, T, F) normalised features that `output` reconstructs; the frames after the
                last whole token have no reconstruction and are left out.
        """
        found = output.features.float()
        wanted = target[:, : found.shape[1]].float()
        positions = output.frame_positions()
        if positions is not None:
            found = found.flatten(0, 1).index_select(0, positions)
            wanted = wanted.flatten(0, 1).index_select(0, positions)
        parts = {
            "reconstruction": self.distance(found, wanted),
            "velocity": self.distance(
                found[..., self.velocity_channels], wanted[..., self.velocity_channels]
            ),
            "commitment": output.commitment,
        }
        weighted = self.velocity * parts["velocity"] + self.commitment * parts["commitment"]
        if self.root:
            parts["root"] = self.distance(found[..., ROOT], wanted[..., ROOT])
            weighted = weighted + self.root * parts["root"]
        return parts | {"total": parts["reconstruction"] + weighted}
