"""Looks at a model while it trains: motions of fixed validation captions, judged in numbers.

What judges is no matter of training: the stage is given a `Judge`, the evaluation brings one. A
look changes nothing of the training: random numbers of the next step are drawn from its own seed.
"""

import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Protocol

import numpy as np

from motiongpt.data.store import MotionStore
from motiongpt.errors import UserError
from motiongpt.files import read_json, write_json

LOOKS, BEST = "looks.json", "best"


class Judge(Protocol):
    """What makes numbers of generated motions.

    Attributes:
        parent: stage that leaves what it judges with.
        better: name of each number -> which way is better.
    """

    parent: str
    better: Mapping[str, Literal["lower", "higher", "real"]]

    def open(self, folder: Path, store: MotionStore) -> None:
        """Make ready with the folder of the run of `parent`."""

    def numbers(
        self, clips: Sequence[int], captions: Sequence[str], motions: Sequence[np.ndarray]
    ) -> tuple[dict[str, float], list[str]]:
        """Numbers by name of motions (T, F) for captions of clips of the store; and a line about
        each that could not be had."""


@dataclass(frozen=True)
class Watch:
    """When is looked, at what, and what of it is kept.

    Attributes:
        judge: of the motions.
        every: steps from one look to the next.
        clips: of the validation split, the first that have captions.
        seconds: of a look; where one takes longer, the next ones are left out for as long, so that
            a slow machine is not held up. Not where `keep` depends on them.
        keep: number whose best look's model is kept; None keeps the last step's.
        max_frames: of a motion; None for the model's own limit.

    Raises:
        UserError: a number that nothing can be watched with, or one to keep that there is not.
    """

    judge: Judge
    every: int
    clips: int
    seconds: float
    keep: str | None = None
    max_frames: int | None = None

    def __post_init__(self) -> None:
        for name in ("every", "clips", "seconds"):
            if not getattr(self, name) > 0:
                raise UserError(f"watch.{name}={getattr(self, name)}: a number above 0 is needed")
        known = [name for name, way in self.judge.better.items() if way != "real"]
        if self.keep is not None and self.keep not in known:
            raise UserError(f"watch.keep={self.keep}: no such number; valid: {', '.join(known)}")

    def chosen(self, store: MotionStore) -> list[int]:
        """Clips that are looked at.

        Raises:
            UserError: the validation split has none with a caption.
        """
        found = [int(index) for index in store.indices("val") if store.captions(int(index))]
        if not found:
            raise UserError(
                f"watch: the val split of store {store.name} has no clip with a caption to look at"
            )
        return found[: self.clips]


class Looks:
    """The looks of one training, kept in its folder so that a resumed one knows them.

    Args:
        watch: the settings.
        clips: indices in the store.
        captions: that ask, one a clip.
        generate: captions -> motions (T, F), by the model as it is.
        save: writes the model as it is into a folder.
        folder: of the run.
        log: prints a line.
    """

    def __init__(
        self,
        watch: Watch,
        clips: Sequence[int],
        captions: Sequence[str],
        generate: Callable[[Sequence[str]], Sequence[np.ndarray]],
        save: Callable[[Path], None],
        folder: Path,
        log: Callable[[str], None],
    ) -> None:
        self.watch, self.clips, self.captions = watch, clips, captions
        self._generate, self._save, self._log = generate, save, log
        self._path, self.best_folder = folder / LOOKS, folder / BEST
        kept = read_json(self._path, {})
        self.found: dict[int, dict[str, float]] = {
            int(step): values for step, values in kept.get("looks", {}).items()
        }
        self.best: int | None = kept.get("best")
        self._left_out = 0
        self._said: set[str] = set()

    def is_due(self, step: int, last: int) -> bool:
        """Whether the model is to be looked at after this step; asked once a step."""
        if step != last and step % self.watch.every:
            return False
        if step != last and self._left_out:
            self._left_out -= 1
            return False
        return True

    def look(self, step: int) -> dict[str, float]:
        """Generate, judge, remember; the numbers."""
        begun = time.monotonic()
        motions = self._generate(self.captions)
        values, reasons = self.watch.judge.numbers(self.clips, self.captions, motions)
        for line in set(reasons) - self._said:
            self._said.add(line)
            self._log(f"  watch: {line}")
        seconds = time.monotonic() - begun
        if self.watch.keep is None:
            self._left_out = math.ceil(seconds / self.watch.seconds) - 1
        shown = "  ".join(f"{name} {value:.4g}" for name, value in values.items())
        self._log(f"  watch: step {step}, {len(self.clips)} clips of val: {shown}")
        self.found[step] = values
        if self._is_best(step):
            self._save(self.best_folder)
            self.best = step
        looks = {str(step): values for step, values in sorted(self.found.items())}
        write_json(self._path, {"split": "val", "looks": looks, "best": self.best})
        return values

    def metrics(self) -> dict[str, float]:
        """For the results of the training: the last look's numbers, or those of the one kept."""
        step = self.best if self.watch.keep is not None else max(self.found, default=None)
        if step is None:
            return {}
        kept = {} if self.watch.keep is None else {"kept_step": float(step)}
        return {**{f"val/{name}": value for name, value in self.found[step].items()}, **kept}

    def _is_best(self, step: int) -> bool:
        keep = self.watch.keep
        if keep is None:
            return False
        if keep not in self.found[step]:
            raise UserError(
                f"watch.keep={keep}: could not be measured at step {step}; choose another number, "
                "more clips or a smaller protocol.scoring.pool"
            )
        if self.best is None or step == self.best:
            return True
        new, old = self.found[step][keep], self.found[self.best][keep]
        return new > old if self.watch.judge.better[keep] == "higher" else new < old


def callback(looks: Looks) -> Any:
    """The Lightning callback that looks at the ends of steps; only the first process does."""
    import lightning.pytorch as pl  # takes seconds, which a plan needn't wait for

    class LookAtMotions(pl.Callback):
        def on_train_batch_end(
            self,
            trainer: pl.Trainer,
            module: pl.LightningModule,
            outputs: Any,
            batch: Any,
            batch_idx: int,
        ) -> None:
            """Called by Lightning."""
            step = trainer.global_step
            if not trainer.is_global_zero or not looks.is_due(step, int(trainer.max_steps)):
                return
            values = {f"val/{name}": value for name, value in looks.look(step).items()}
            for logger in trainer.loggers:
                logger.log_metrics(values, step)

    return LookAtMotions()
