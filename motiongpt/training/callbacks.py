"""Lightning callbacks of every training stage: seeding, checkpoints, progress."""

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import lightning.pytorch as pl
import torch

from motiongpt.files import write_json
from motiongpt.training.sampler import random_seed


class SeedEachStep(pl.Callback):
    """Seed torch from (seed, step, process) before each step, so that a resumed run draws the
    same dropout masks and resets the same codes as an undisturbed one."""

    def __init__(self, seed: int) -> None:
        self.seed = seed

    def on_train_batch_start(
        self, trainer: pl.Trainer, module: pl.LightningModule, batch: Any, batch_idx: int
    ) -> None:
        """Called by Lightning."""
        torch.manual_seed(random_seed(self.seed, trainer.global_step, trainer.global_rank))


class KeepCheckpoint(pl.Callback):
    """Write the whole training state every `every` steps: one file, replaced in one move."""

    def __init__(self, path: Path, every: int) -> None:
        self.path, self.every = Path(path), every

    def on_train_batch_end(
        self,
        trainer: pl.Trainer,
        module: pl.LightningModule,
        outputs: Any,
        batch: Any,
        batch_idx: int,
    ) -> None:
        """Called by Lightning; all processes take part, the first one writes."""
        if trainer.global_step % self.every == 0 and trainer.global_step < trainer.max_steps:
            self.save(trainer)

    def save(self, trainer: pl.Trainer) -> None:
        """Write now."""
        temporary = self.path.with_name(f".{self.path.name}.tmp")
        trainer.save_checkpoint(temporary, weights_only=False)  # the optimizer's state too
        if trainer.is_global_zero:
            os.replace(temporary, self.path)


class ReportProgress(pl.Callback):
    """Say every few seconds where the stage is, and leave the same in `progress.json`."""

    def __init__(
        self, folder: Path, name: str, say: Callable[[str], None], seconds: float = 10.0
    ) -> None:
        self.path, self.name, self.say, self.seconds = (
            Path(folder) / "progress.json",
            name,
            say,
            seconds,
        )
        self._said = 0.0
        self._begun: tuple[int, float] | None = None

    def on_train_batch_end(
        self,
        trainer: pl.Trainer,
        module: pl.LightningModule,
        outputs: Any,
        batch: Any,
        batch_idx: int,
    ) -> None:
        """Called by Lightning."""
        now, step = time.monotonic(), trainer.global_step
        if self._begun is None:
            self._begun = (step, now)
        last = step >= trainer.max_steps
        if not trainer.is_global_zero or (now - self._said < self.seconds and not last):
            return
        self._said = now
        rate = (step - self._begun[0]) / max(now - self._begun[1], 1e-9)
        metrics = {
            name: round(float(value), 6)
            for name, value in trainer.callback_metrics.items()
            if torch.isfinite(torch.as_tensor(value))
        }
        write_json(
            self.path,
            {
                "step": step,
                "steps": trainer.max_steps,
                "steps_per_second": round(rate, 3),
                "metrics": metrics,
            },
        )
        left = f", {(trainer.max_steps - step) / rate:.0f} s left" if rate > 0 and not last else ""
        shown = "  ".join(f"{name} {value:.4g}" for name, value in sorted(metrics.items()))
        self.say(f"  {self.name} step {step}/{trainer.max_steps}{left}  {shown}")
