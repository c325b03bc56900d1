"""What the Lightning modules of all codecs share: normalisation, optimizer and error of joints."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import lightning.pytorch as pl
import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from motiongpt.codecs.base import Codec
from motiongpt.float32_state import Float32State
from motiongpt.motion.recover import features_to_joints
from motiongpt.motion.skeleton import Skeleton
from motiongpt.training.global_means import RunningMeans

MILLIMETRES = 1000.0


class CodecModule(Float32State, pl.LightningModule):
    """Base: a codec, the normalisation of its features, and how it is optimised.

    Args:
        skeleton: of the features.
        mean, std: (F,) of the features' normalisation.
        validated: names of the numbers that a validation averages.
        make_optimizer: parameters -> optimizer, learning rate included.
        make_scheduler: optimizer -> schedule, stepped after every training step.
    """

    mean: Tensor
    std: Tensor

    def __init__(
        self,
        skeleton: Skeleton,
        mean: Tensor,
        std: Tensor,
        validated: Sequence[str],
        make_optimizer: Callable[[Iterable[nn.Parameter]], Optimizer],
        make_scheduler: Callable[[Optimizer], Any] | None,
    ) -> None:
        super().__init__()
        self.skeleton = skeleton
        self._make_optimizer, self._make_scheduler = make_optimizer, make_scheduler
        self.register_buffer("mean", torch.as_tensor(mean, dtype=torch.float32))
        self.register_buffer("std", torch.as_tensor(std, dtype=torch.float32))
        self._validated = RunningMeans(validated)

    @property
    def network(self) -> Codec:
        """What is trained."""
        raise NotImplementedError

    def configure_optimizers(self) -> Any:
        """Optimizer and, if there is one, its schedule."""
        optimizer = self._make_optimizer(self.network.parameters())
        if self._make_scheduler is None:
            return optimizer
        schedule = {"scheduler": self._make_scheduler(optimizer), "interval": "step"}
        return {"optimizer": optimizer, "lr_scheduler": schedule}

    def mpjpe_mm(self, found: Tensor, wanted: Tensor, counted: Tensor) -> Tensor:
        """Mean distance of joints in millimetres, each frame moved so that the roots coincide.

        Args:
            found, wanted: (B, T, F) normalised features.
            counted: (B, T) True where a frame counts.
        """
        with torch.autocast(wanted.device.type, enabled=False):
            distance = self._local_joints(found) - self._local_joints(wanted)
            errors = distance.norm(dim=-1).mean(-1)
        return MILLIMETRES * errors[counted].mean()

    def _local_joints(self, features: Tensor) -> Tensor:
        """(B, T, J, 3) metres relative to the root, from normalised features."""
        joints = features_to_joints(features.float() * self.std + self.mean, self.skeleton)
        return joints - joints[..., :1, :]
