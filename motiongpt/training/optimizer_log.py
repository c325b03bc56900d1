"""What loggers learn of a training besides its losses: learning rate, gradient norm, epoch."""

import lightning.pytorch as pl
import torch
from torch.optim import Optimizer

RATE, NORM, EPOCH = "train/learning_rate", "train/gradient_norm", "train/epoch"


class LogOptimizer(pl.Callback):
    """Log `train/learning_rate`, `train/gradient_norm` and `train/epoch` with the losses.

    They go to the loggers alone: no part of a stage's result, nor of its progress line. The norm is
    that of all gradients together before they are clipped. The epoch is how often the training
    split was seen, with a fraction: batches come from one endless sampler, for which Lightning's
    own stays 0.

    Args:
        clips: of the training split.
        batch_size: clips of a step of all processes together.
        every: steps between rows, as Lightning's `log_every_n_steps`.
    """

    def __init__(self, clips: int, batch_size: int, every: int) -> None:
        self.clips, self.batch_size, self.every = clips, batch_size, every

    def on_before_optimizer_step(
        self, trainer: pl.Trainer, module: pl.LightningModule, optimizer: Optimizer
    ) -> None:
        """Called by Lightning, with gradients that are whole and not yet clipped."""
        step = trainer.global_step  # counted from 0, as Lightning's own rows
        if (step + 1) % self.every:
            return
        gradients = [one.grad for one in module.parameters() if one.grad is not None]
        # Who has a part of each gradient helps the first process, which alone has loggers.
        is_part = any(hasattr(one, "full_tensor") for one in gradients)
        if not trainer.loggers and not is_part:
            return
        norm = torch.nn.utils.get_total_norm(gradients)
        values = {
            RATE: float(optimizer.param_groups[0]["lr"]),
            NORM: float(norm.full_tensor() if hasattr(norm, "full_tensor") else norm),
            EPOCH: (step + 1) * self.batch_size / self.clips,
        }
        for logger in trainer.loggers:
            logger.log_metrics(values, step)
