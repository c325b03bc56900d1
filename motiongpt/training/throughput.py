"""How fast a training is: tokens and clips a second, padding, utilisation, memory."""

import resource
import sys
import time
from pathlib import Path
from typing import Any

import lightning.pytorch as pl
import torch

from motiongpt.files import write_json
from motiongpt.training.machine_peak import dtype_of, peak_flops
from motiongpt.training.step_cost import NOTHING, StepCost

FILE = "throughput.json"
MEBIBYTE = 2.0**20


class Throughput(pl.Callback):
    """Logs `throughput/*`, gives `numbers` and `words`, and leaves `throughput.json`.

    tokens_per_second and clips_per_second are those of all processes together, taking each for as
    busy as this one; tokens are counted without padding. padding is its share of a batch's
    positions. utilisation is the operations that the model needs for these tokens, over what the
    machine reaches in a matrix product of the same precision. Validations and checkpoints don't
    count.
    No number is a metric of the stage: a resumed run ends with the same metrics at another speed.

    Args:
        folder: of the stage.
        precision: as Lightning names it.
    """

    def __init__(self, folder: Path, precision: str) -> None:
        self.path, self.dtype = Path(folder) / FILE, dtype_of(precision)
        self.recent, self.whole = _Stretch(), _Stretch()
        self._last: dict[str, float] = {}
        self._device, self._world = torch.device("cpu"), 1
        self._since: float | None = None

    def on_train_start(self, trainer: pl.Trainer, module: pl.LightningModule) -> None:
        """Called by Lightning, after a checkpoint was loaded."""
        self._device, self._world = module.device, trainer.world_size
        self._since = time.perf_counter()

    def on_validation_start(self, trainer: pl.Trainer, module: pl.LightningModule) -> None:
        """Called by Lightning: the clock stops."""
        self._since = None

    def on_save_checkpoint(
        self, trainer: pl.Trainer, module: pl.LightningModule, checkpoint: dict[str, Any]
    ) -> None:
        """Called by Lightning: the clock stops."""
        self._since = None

    def on_train_batch_start(
        self, trainer: pl.Trainer, module: pl.LightningModule, batch: Any, batch_idx: int
    ) -> None:
        """Called by Lightning: the clock goes, since the last step's end or from now on."""
        self._since = self._since or time.perf_counter()

    def on_train_batch_end(
        self,
        trainer: pl.Trainer,
        module: pl.LightningModule,
        outputs: Any,
        batch: Any,
        batch_idx: int,
    ) -> None:
        """Called by Lightning."""
        now = time.perf_counter()
        cost = module.step_cost(batch)  # type: ignore[operator]  # every stage's module has it
        for stretch in (self.recent, self.whole):
            stretch.add(cost, now - (self._since or now))
        self._since = now
        if trainer.global_step % trainer.log_every_n_steps == 0:  # type: ignore[attr-defined]
            self._log(trainer)

    def on_train_end(self, trainer: pl.Trainer, module: pl.LightningModule) -> None:
        """Called by Lightning."""
        if trainer.is_global_zero:
            write_json(self.path, self.numbers(self.whole))

    def numbers(self, stretch: "_Stretch | None" = None) -> dict[str, float]:
        """Of a stretch of steps, by default the last that was logged; empty before the first."""
        if stretch is None:
            return self._last or self.numbers(self.recent)
        cost, seconds = stretch.cost, stretch.seconds
        if seconds == 0:
            return {}
        peak = peak_flops(self._device, self.dtype)
        return {
            "tokens_per_second": round(cost.tokens * self._world / seconds, 1),
            "clips_per_second": round(cost.clips * self._world / seconds, 2),
            "padding": round(1 - cost.tokens / max(1, cost.positions), 4),
            "utilisation": round(cost.flops / seconds / peak, 4),
            "gigaflops": round(cost.flops / seconds / 1e9, 1),
            "peak_memory_mb": round(peak_memory(self._device) / MEBIBYTE, 1),
        }

    def words(self, stretch: "_Stretch | None" = None) -> str:
        """`numbers` for a person."""
        found = self.numbers(stretch)
        if not found:
            return "no step yet"
        return (
            f"{found['tokens_per_second']:,.0f} tokens/s, {found['clips_per_second']:.4g} clips/s, "
            f"{found['padding']:.0%} padding, {found['utilisation']:.0%} of the machine's peak, "
            f"{found['peak_memory_mb']:,.0f} MB at most"
        )

    def _log(self, trainer: pl.Trainer) -> None:
        self._last = self.numbers(self.recent)
        self.recent = _Stretch()
        named = {f"throughput/{name}": value for name, value in self._last.items()}
        for logger in trainer.loggers:
            # Lightning numbers the rows of training so: both belong to the step that has ended.
            logger.log_metrics(named, step=trainer.global_step - 1)


class _Stretch:
    """Steps in a row: what they amount to and how long they took."""

    def __init__(self) -> None:
        self.cost: StepCost = NOTHING
        self.seconds = 0.0

    def add(self, cost: StepCost, seconds: float) -> None:
        self.cost, self.seconds = self.cost.plus(cost), self.seconds + seconds


def peak_memory(device: torch.device) -> float:
    """Most bytes so far: what torch had of a GPU's memory, or this process of the machine's."""
    if device.type == "cuda":
        return float(torch.cuda.max_memory_allocated(device))
    kilobytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return float(kilobytes) * (1.0 if sys.platform == "darwin" else 1024.0)
