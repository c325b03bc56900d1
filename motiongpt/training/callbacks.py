"""Lightning callbacks of every training stage: seeding, checkpoints, progress."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import lightning.pytorch as pl
import torch

from motiongpt.errors import UserError
from motiongpt.files import write_json
from motiongpt.training.checkpoints import keep_two
from motiongpt.training.sampler import random_seed
from motiongpt.training.stopping import Interrupted, StopRequest
from motiongpt.training.throughput import Throughput


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
    """Write the whole training state every `every` steps; the one before it is kept."""

    def __init__(self, path: Path, every: int) -> None:
        self.path, self.every = Path(path), every

    def on_train_start(self, trainer: pl.Trainer, module: pl.LightningModule) -> None:
        """Called by Lightning, after a checkpoint was loaded.

        Raises:
            UserError: a process did not see the checkpoint that another one goes on from.
        """
        here = torch.tensor(trainer.global_step, device=module.device)
        steps = trainer.strategy.all_gather(here).flatten().tolist()
        if len(set(steps)) > 1:
            raise UserError(
                f"{self.path}: the processes would go on from steps {steps}; "
                "choose a paths.root that all nodes see alike"
            )

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
        try:
            trainer.save_checkpoint(temporary, weights_only=False)  # the optimizer's state too
            if trainer.is_global_zero:
                keep_two(temporary, self.path)
        finally:
            if trainer.is_global_zero:  # what a full disk has left
                temporary.unlink(missing_ok=True)


class StopAtStepEnd(pl.Callback):
    """When the process was asked to stop: finish the step, write a checkpoint, stop.

    With several processes all stop after the same step, whichever was asked first.

    Args:
        stop: the request.
        keep: writes the checkpoint.
        agree_every: steps between looking whether another process was asked.
    """

    def __init__(self, stop: StopRequest, keep: KeepCheckpoint, agree_every: int = 5) -> None:
        self.stop, self.keep, self.agree_every = stop, keep, agree_every

    def on_fit_start(self, trainer: pl.Trainer, module: pl.LightningModule) -> None:
        """Called by Lightning, which next puts its own handler of SIGTERM in place.

        That one ends the training wherever it is, without a checkpoint; with several processes it
        begins to talk to the others, which may be talking about something else. So no SIGTERM
        comes while it is there.
        """
        self.stop.hold_back()

    def on_train_start(self, trainer: pl.Trainer, module: pl.LightningModule) -> None:
        """Called by Lightning, after its handler is in place."""
        self.stop.take_over()

    def on_train_batch_end(
        self,
        trainer: pl.Trainer,
        module: pl.LightningModule,
        outputs: Any,
        batch: Any,
        batch_idx: int,
    ) -> None:
        """Called by Lightning.

        Raises:
            Interrupted: the checkpoint of this very step is written.
        """
        wanted = self.stop.requested
        if trainer.world_size > 1:
            if trainer.global_step % self.agree_every:
                return
            wanted = trainer.strategy.reduce_boolean_decision(wanted, all=False)
        if wanted and trainer.global_step < trainer.max_steps:
            self.keep.save(trainer)
            raise Interrupted


class ReportProgress(pl.Callback):
    """Say every few seconds where the stage is, and leave the same in `progress.json`."""

    def __init__(
        self,
        folder: Path,
        name: str,
        log: Callable[[str], None],
        seconds: float = 10.0,
        throughput: Throughput | None = None,
    ) -> None:
        self.path, self.name, self.log_line, self.seconds = (
            Path(folder) / "progress.json",
            name,
            log,
            seconds,
        )
        self.throughput = throughput
        self._said = 0.0
        self._begun: tuple[int, float] = (0, 0.0)

    def on_train_start(self, trainer: pl.Trainer, module: pl.LightningModule) -> None:
        """Called by Lightning, after a checkpoint was loaded."""
        self._begun = (trainer.global_step, time.monotonic())
        self._write(trainer)

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
        last = step >= trainer.max_steps
        if now - self._said < self.seconds and not last:
            return
        self._said = now
        rate, metrics = self._write(trainer)
        left = f", {(trainer.max_steps - step) / rate:.0f} s left" if rate > 0 and not last else ""
        shown = "  ".join(f"{name} {value:.4g}" for name, value in sorted(metrics.items()))
        speed = f"  ({self.throughput.words()})" if self.throughput else ""
        # not `self.log`: Lightning puts a function of its own there
        self.log_line(f"  {self.name} step {step}/{trainer.max_steps}{left}  {shown}{speed}")

    def on_exception(
        self, trainer: pl.Trainer, module: pl.LightningModule, exception: BaseException
    ) -> None:
        """Called by Lightning, also when the training was asked to stop."""
        if isinstance(exception, Interrupted):
            self._write(trainer)

    def _write(self, trainer: pl.Trainer) -> tuple[float, dict[str, float]]:
        """Leave the progress of all processes; returns the rate and the metrics."""
        steps, seconds = trainer.global_step - self._begun[0], time.monotonic() - self._begun[1]
        rate = steps / seconds if steps else 0.0
        metrics = {
            name: round(float(value), 6)
            for name, value in trainer.callback_metrics.items()
            if torch.isfinite(torch.as_tensor(value))
        }
        if trainer.is_global_zero:
            write_json(
                self.path,
                {
                    "resumed_at": self._begun[0],
                    "step": trainer.global_step,
                    "steps": trainer.max_steps,
                    "steps_per_second": round(rate, 3),
                    "metrics": metrics,
                    "throughput": self.throughput.numbers() if self.throughput else {},
                },
            )
        return rate, metrics
