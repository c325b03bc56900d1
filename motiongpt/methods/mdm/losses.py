"""What a denoiser's motion is worth: mean squares over the frames that a motion has.

Shapes: B batch, T frames, F features.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from motiongpt.errors import UserError

NOTHING = 1e-8  # keeps a motion without frames from a division by zero, as released
VELOCITY_FEATURES = ("all", "released")


@dataclass(frozen=True)
class Losses:
    """The loss of MDM.

    Attributes:
        velocity: weight of the term of differences between frames; 0 in the paper's text to motion.
        velocity_features: of which features: "all", or "released": all but the last.

    Raises:
        UserError: another value than these.
    """

    velocity: float = 0.0
    velocity_features: str = "all"

    def __post_init__(self) -> None:
        if self.velocity < 0:
            raise UserError(f"stage.mdm.losses.velocity={self.velocity}; expected 0 or more")
        if self.velocity_features not in VELOCITY_FEATURES:
            raise UserError(
                f"stage.mdm.losses.velocity_features={self.velocity_features}; choose one of: "
                f"{', '.join(VELOCITY_FEATURES)}"
            )

    def of_rows(self, predicted: Tensor, wanted: Tensor, lengths: Tensor) -> Tensor:
        """(B,) of motions (B, T, F) with so many frames (B,) each."""
        error = predicted.float() - wanted
        found = mean_squares(error, lengths)
        if self.velocity:
            found = found + self.velocity * self.velocity_of_rows(error, lengths)
        return found

    def velocity_of_rows(self, error: Tensor, lengths: Tensor) -> Tensor:
        """(B,) the term of differences between frames, of errors (B, T, F)."""
        changes = error[:, 1:] - error[:, :-1]
        if self.velocity_features == "released":
            changes = changes[..., :-1]
        return mean_squares(changes, lengths - 1)


def mean_squares(error: Tensor, lengths: Tensor) -> Tensor:
    """(B,) mean of the squares of (B, T, F) over the first frames of each, F numbers a frame."""
    counted = torch.arange(error.shape[1], device=error.device) < lengths[:, None]
    squares = (error.square() * counted[..., None]).sum((1, 2))
    return squares / (lengths * error.shape[2] + NOTHING)
