"""The Lightning module of a continuous codec's stage."""

from collections.abc import Callable, Iterable
from typing import Any

from torch import Tensor, nn
from torch.optim import Optimizer

from motiongpt.codecs.base import ContinuousCodec, Gaussian
from motiongpt.codecs.continuous.batch import ClipBatch
from motiongpt.codecs.continuous.losses import ContinuousLosses
from motiongpt.codecs.flops import codec_flops
from motiongpt.codecs.masking import length_mask
from motiongpt.codecs.module import CodecModule
from motiongpt.motion.skeleton import Skeleton
from motiongpt.training.global_means import RunningMeans, over_global_batch
from motiongpt.training.step_cost import StepCost

MPJPE = "mpjpe_mm"


class ContinuousModule(CodecModule):
    """Train a continuous codec on batches that `collate_clips` made.

    Training decodes a sample of the latent, validation its mean, so that nothing is drawn there.

    Logs, for train and val: the unweighted losses and their weighted sum, `total`; for val also
    `val/mpjpe_mm`, see `CodecModule.mpjpe_mm`. Train numbers are those of a step's whole batch, val
    numbers those of the whole split, on any number of processes: means over frames, that of the KL
    over clips.

    Args:
        codec: to be trained.
        losses: of its output.
        skeleton, mean, std, make_optimizer, make_scheduler: as of `CodecModule`.
    """

    def __init__(
        self,
        codec: ContinuousCodec,
        losses: ContinuousLosses,
        skeleton: Skeleton,
        mean: Tensor,
        std: Tensor,
        make_optimizer: Callable[[Iterable[nn.Parameter]], Optimizer],
        make_scheduler: Callable[[Optimizer], Any] | None = None,
    ) -> None:
        of_frames = [name for name in losses.names if name != "kl"]
        super().__init__(skeleton, mean, std, of_frames, make_optimizer, make_scheduler)
        self.codec, self.losses = codec, losses
        # Each has a mean over something else: frames with content, clips.
        self._validated_error, self._validated_kl = RunningMeans((MPJPE,)), RunningMeans(("kl",))

    @property
    def network(self) -> ContinuousCodec:
        """What is trained."""
        return self.codec

    def training_step(self, batch: ClipBatch, batch_idx: int) -> Tensor:
        """Weighted loss of one batch."""
        latent = self.codec.encode(batch["features"], batch["lengths"])
        found = self.codec.decode(latent.sample(), batch["lengths"])
        parts, kl = self._losses(batch, found, latent)
        shown, weight = over_global_batch(parts, self._frames(batch))
        shown_kl, kl_weight = over_global_batch(kl, len(batch["lengths"]))
        for name, value in (shown | shown_kl).items():
            self.log(f"train/{name}", value)
        self.log("train/total", self.losses.total(shown | shown_kl))
        return weight * self.losses.total(parts) + kl_weight * self.losses.total(kl)

    def on_validation_epoch_start(self) -> None:
        """Forget the last validation."""
        for means in (self._validated, self._validated_error, self._validated_kl):
            means.start(self.mean.device)

    def validation_step(self, batch: ClipBatch, batch_idx: int) -> None:
        """Losses and the error of the joints."""
        features, lengths = batch["features"], batch["lengths"]
        latent = self.codec.encode(features, lengths)
        found = self.codec.decode(latent.mean, lengths)
        parts, kl = self._losses(batch, found, latent)
        content = length_mask(lengths, features.shape[1])
        assert content is not None
        error = self.mpjpe_mm(found, features, content)
        self._validated.add(parts, self._frames(batch))
        self._validated_error.add({MPJPE: error}, batch["frames"])
        self._validated_kl.add(kl, len(lengths))

    def on_validation_epoch_end(self) -> None:
        """Log what all processes found together."""
        found = self._validated.over_processes() | self._validated_kl.over_processes()
        found["total"] = self.losses.total(found)
        for name, value in (found | self._validated_error.over_processes()).items():
            self.log(f"val/{name}", value)

    def step_cost(self, batch: ClipBatch) -> StepCost:
        """What a step on `batch` amounts to; a token is a frame."""
        clips, frames = batch["features"].shape[:2]
        flops = codec_flops(self.codec, batch["frames"])
        return StepCost(clips, batch["frames"], clips * frames, flops)

    def _losses(
        self, batch: ClipBatch, found: Tensor, latent: Gaussian
    ) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
        """Parts that are means over frames, and the KL."""
        features, lengths = batch["features"], batch["lengths"]
        parts = self.losses(found, features, latent, lengths, self.mean, self.std)
        return parts, {"kl": parts.pop("kl")}

    def _frames(self, batch: ClipBatch) -> int:
        """Frames of the batch that the losses' means are over."""
        if self.losses.counts_padding:
            return batch["features"][..., 0].numel()
        return batch["frames"]
