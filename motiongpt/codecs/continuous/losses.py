"""What a continuous codec is trained to do: reconstruct, and keep its latents near a Gaussian.

Shape letters: B batch, T frames, F features, N vectors a clip of D numbers.
"""

from collections.abc import Mapping
from typing import Literal, get_args

from torch import Tensor

from motiongpt.codecs.base import Gaussian
from motiongpt.codecs.distances import distance_by_name
from motiongpt.codecs.masking import content_positions
from motiongpt.errors import UserError
from motiongpt.motion.recover import features_to_joints
from motiongpt.motion.skeleton import Skeleton

Reduction = Literal["mean", "sum"]
Padding = Literal["ignored", "counted"]


def kl_divergence(latent: Gaussian) -> Tensor:
    """KL divergence of each of the latent's numbers from the unit Gaussian, (B, N, D).

    (mean² + std² - 1) / 2 - ln std: Kingma and Welling, arXiv:1312.6114, appendix B.
    """
    mean, std = latent.mean.float(), latent.std.float()
    return (mean.square() + std.square() - 1) / 2 - std.log()


class ContinuousLosses:
    """features x the distance of features + joints x that of recovered joints + kl x the KL.

    The defaults are MLD's for its autoencoders on HumanML3D (arXiv:2212.04048 and its code), but
    for the padding.

    Args:
        skeleton: of the features.
        distance: l1_smooth, l1 or l2, of both reconstructions.
        features, joints, kl: weights; joints recovered from the features are in metres, and are
            not computed where their weight is 0.
        kl_reduction: "mean" over the latent's numbers and the clips, or their "sum" over a step's
            clips as the released ACTOR has it, whose weight grows with the batch.
        padding: "ignored", or "counted" as in MLD's and MotionGPT's means, where it is zeros that
            are to be reconstructed, and joints that drift on from where the clip ended.
        clips: of a step, for kl_reduction "sum".

    Raises:
        UserError: an option that does not exist; the valid ones are listed.
    """

    def __init__(
        self,
        skeleton: Skeleton,
        distance: str = "l1_smooth",
        features: float = 1.0,
        joints: float = 1.0,
        kl: float = 1e-4,
        kl_reduction: Reduction = "mean",
        padding: Padding = "ignored",
        clips: int = 1,
    ) -> None:
        for name, value, known in (
            ("kl_reduction", kl_reduction, get_args(Reduction)),
            ("padding", padding, get_args(Padding)),
        ):
            if value not in known:
                raise UserError(f"losses.{name} is {value!r}; choose one of: {', '.join(known)}")
        self.skeleton = skeleton
        self.distance = distance_by_name("losses.distance", distance)
        self.weights = {"features": features, "kl": kl} | ({"joints": joints} if joints else {})
        self.kl_reduction, self.padding, self.clips = kl_reduction, padding, clips

    @property
    def names(self) -> tuple[str, ...]:
        """Of the unweighted parts."""
        return tuple(self.weights)

    @property
    def counts_padding(self) -> bool:
        """Whether padding enters the means."""
        return self.padding == "counted"

    def __call__(
        self,
        found: Tensor,
        wanted: Tensor,
        latent: Gaussian,
        lengths: Tensor | None,
        mean: Tensor,
        std: Tensor,
    ) -> dict[str, Tensor]:
        """Unweighted parts, scalars by name; see `total`.

        Args:
            found, wanted: (B, T, F) normalised features.
            lengths: (B,) frames of each clip, None for all T.
            mean, std: (F,) of the normalisation.
        """
        pairs = {"features": (found.float(), wanted.float())}
        if "joints" in self.weights:
            raw = (values * std + mean for values in pairs["features"])
            recovered = [features_to_joints(values, self.skeleton) for values in raw]
            pairs["joints"] = (recovered[0], recovered[1])
        parts = {name: self.frame_mean(*pair, lengths) for name, pair in pairs.items()}
        return parts | {"kl": self.kl(latent)}

    def total(self, parts: Mapping[str, Tensor]) -> Tensor:
        """The weighted sum of parts; those of the reconstruction alone, or the KL alone, too."""
        weighted = [self.weights[name] * value for name, value in parts.items()]
        return sum(weighted[1:], start=weighted[0])

    def frame_mean(self, found: Tensor, wanted: Tensor, lengths: Tensor | None) -> Tensor:
        """Mean distance of (B, T, …) over the frames that count."""
        if lengths is None or self.counts_padding:
            return self.distance(found, wanted)
        positions = content_positions(lengths, found.shape[1])
        found, wanted = (
            values.flatten(0, 1).index_select(0, positions) for values in (found, wanted)
        )
        return self.distance(found, wanted)

    def kl(self, latent: Gaussian) -> Tensor:
        """Divergence of a batch's latents from the unit Gaussian, by `kl_reduction`."""
        divergence = kl_divergence(latent)
        if self.kl_reduction == "mean":
            return divergence.mean()
        # The mean over this process's clips times those of a step: the same on any number of them.
        return divergence.flatten(1).sum(1).mean() * self.clips
