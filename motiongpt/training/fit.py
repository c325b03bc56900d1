"""Train a Lightning module for a number of steps, from its last checkpoint if there is one."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import lightning.pytorch as pl
import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset

from motiongpt.errors import UserError
from motiongpt.training.callbacks import KeepCheckpoint, ReportProgress, SeedEachStep, StopAtStepEnd
from motiongpt.training.sampler import StepBatchSampler, fixed_keys
from motiongpt.training.stage import StageContext

CHECKPOINT = "checkpoints/last.ckpt"


@dataclass(frozen=True)
class Schedule:
    """How long and in what portions a stage trains.

    Attributes:
        steps: optimiser steps.
        batch_size: clips a step over all processes; the per-process share is derived.
        validate_every: steps between validations.
        checkpoint_every: steps between checkpoints; does not change the result.
        precision: Lightning's name of it ("32-true", "bf16-mixed" …).
        gradient_clip: largest gradient norm, or None.
        shuffle: False keeps the order of the data set, as released (B2 of the audit).
    """

    steps: int
    batch_size: int
    validate_every: int = 500
    checkpoint_every: int = 100
    precision: str = "32-true"
    gradient_clip: float | None = None
    shuffle: bool = True


def fit(
    name: str,
    module: pl.LightningModule,
    dataset: Dataset,
    collate: Callable[..., Any],
    clips: tuple[np.ndarray, np.ndarray],
    schedule: Schedule,
    seed: int,
    context: StageContext,
) -> dict[str, float]:
    """Train `module` and return the metrics of its last validation.

    Args:
        name: of the stage, for progress.
        dataset: answers keys (clip index, random seed).
        clips: indices to train on and indices to validate on.

    Raises:
        UserError: no clip in the training or the validation split.
        Interrupted: the process was asked to stop; a checkpoint was written at the step's end.
    """
    for split, indices in zip(("train", "val"), clips, strict=True):
        if len(indices) == 0:
            raise UserError(
                f"stage {name}: the {split} split of store {context.store.name} has no "
                "clip; prepare more data or choose another split"
            )
    hardware = context.hardware
    if hardware.threads:
        torch.set_num_threads(hardware.threads)
    pl.seed_everything(seed, workers=False, verbose=False)
    checkpoint = context.folder / CHECKPOINT
    keep = KeepCheckpoint(checkpoint, schedule.checkpoint_every)
    trainer = pl.Trainer(
        accelerator=hardware.accelerator,
        devices=hardware.devices,
        num_nodes=hardware.num_nodes,
        strategy=hardware.strategy,
        plugins=[context.processes.environment],
        precision=schedule.precision,  # type: ignore[arg-type]
        max_steps=schedule.steps,
        gradient_clip_val=schedule.gradient_clip,
        val_check_interval=min(schedule.validate_every, schedule.steps),
        check_val_every_n_epoch=None,
        num_sanity_val_steps=0,
        use_distributed_sampler=False,
        logger=list(context.make_logger()) or False,
        log_every_n_steps=min(10, schedule.steps),
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        default_root_dir=context.folder,
        callbacks=[
            SeedEachStep(seed),
            keep,
            ReportProgress(context.folder, name, context.say),
            StopAtStepEnd(context.stop, keep),
        ],
    )
    training, validation = clips
    sampler = StepBatchSampler(
        training,
        schedule.batch_size,
        seed,
        lambda: trainer.global_step,
        trainer.global_rank,
        trainer.world_size,
        schedule.shuffle,
    )
    keys = fixed_keys(validation, seed)[trainer.global_rank :: trainer.world_size]
    size = max(1, schedule.batch_size // trainer.world_size)
    with context.stop.deferred():
        trainer.fit(
            module,
            _loader(dataset, collate, sampler, context),
            _loader(dataset, collate, _portions(keys, size), context),
            ckpt_path=checkpoint if checkpoint.exists() else None,
            weights_only=True,
        )
    return {key: float(value) for key, value in trainer.callback_metrics.items()}


def _portions(keys: list[Any], size: int) -> Sequence[list[Any]]:
    return [keys[first : first + size] for first in range(0, len(keys), size)]


def _loader(
    dataset: Dataset, collate: Callable[..., Any], batches: Any, context: StageContext
) -> DataLoader:
    workers = context.hardware.workers
    return DataLoader(
        dataset,
        batch_sampler=batches,
        collate_fn=collate,
        num_workers=workers,
        persistent_workers=workers > 0,
    )
