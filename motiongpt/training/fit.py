"""Train a Lightning module for a number of steps, from its last checkpoint if there is one."""

import warnings
from collections.abc import Callable, Sequence
from typing import Any

import lightning.pytorch as pl
import numpy as np
from lightning.fabric.plugins.environments import LightningEnvironment
from lightning.pytorch.strategies import DDPStrategy, ModelParallelStrategy, Strategy
from lightning.pytorch.utilities.model_helpers import is_overridden
from torch.utils.data import DataLoader, Dataset

from motiongpt.allocation import keep_freed_memory
from motiongpt.errors import UserError
from motiongpt.training.callbacks import KeepCheckpoint, ReportProgress, SeedEachStep, StopAtStepEnd
from motiongpt.training.checkpoints import CHECKPOINT, sound_checkpoint
from motiongpt.training.finite import likely_cause
from motiongpt.training.gradient_clip import ClipGradients
from motiongpt.training.optimizer_log import LogOptimizer
from motiongpt.training.sampler import (
    StepBatchSampler,
    ValidationBatches,
    fixed_keys,
)
from motiongpt.training.schedule import Schedule, share_of_batch
from motiongpt.training.stage import StageContext
from motiongpt.training.stop_when_not_finite import StopWhenNotFinite
from motiongpt.training.stopping import let_through
from motiongpt.training.throughput import Throughput

SHARDED = "fsdp"  # of modules that shard themselves; others are as with ddp
STRATEGIES = ("auto", "ddp", SHARDED)


def fit(
    name: str,
    module: pl.LightningModule,
    dataset: Dataset,
    collate: Callable[..., Any],
    clips: tuple[np.ndarray, np.ndarray],
    schedule: Schedule,
    seed: int,
    context: StageContext,
    lengths: np.ndarray | None = None,
    callbacks: Sequence[pl.Callback] = (),
) -> dict[str, float]:
    """Train `module` and return the metrics of its last validation.

    Several processes call this together. They give the batches, the losses and the metrics of one,
    up to rounding and to what dropout draws (and to padding where it has a loss: `labels: all` of
    GPT-2); the first writes. Afterwards their process group stays, for the next call: nothing but
    training and validation uses it.

    Args:
        name: of the stage, for progress.
        dataset: gives an item for each key (clip index, random seed).
        clips: indices to train on and indices to validate on.
        lengths: of all clips of the store, in any unit; for `bucket`.
        callbacks: of the stage's own.

    Raises:
        UserError: no clip in the training or the validation split, a global batch that the
            processes can't share, other hardware than the processes that were started, a precision
            that it does not have, or buckets of what has no lengths or a fixed order; a loss or a
            weight that is not finite.
        Interrupted: the process was asked to stop; a checkpoint was written at the step's end.
    """
    if context.start.folder is not None:
        context.start.check_used(name)
        context.log(f"  {name}: starts from {context.start.folder}")
    for split, indices in zip(("train", "val"), clips, strict=True):
        if len(indices) == 0:
            raise UserError(
                f"stage {name}: the {split} split of store {context.store.name} has no "
                "clip; prepare more data or choose another split"
            )
    hardware, processes = context.hardware, context.processes
    _check_schedule(name, schedule, lengths, context)
    size = _clips_of_a_process(name, schedule, context)
    keep_freed_memory()
    pl.seed_everything(seed, workers=False, verbose=False)
    keep = KeepCheckpoint(context.folder / CHECKPOINT, schedule.checkpoint_every)
    log_every = min(10, schedule.steps)
    throughput = Throughput(context.folder, schedule.precision)

    def cause(trainer: pl.Trainer) -> str:
        rate = float(trainer.optimizers[0].param_groups[0]["lr"])
        clipped = schedule.gradient_clip is not None
        return likely_cause(name, context.store, clips[0], schedule.precision, rate, clipped)

    strategy = _strategy(name, module, schedule, context)
    trainer = pl.Trainer(
        accelerator=hardware.accelerator,
        devices=hardware.devices,
        num_nodes=hardware.num_nodes,
        strategy=strategy,
        inference_mode=not isinstance(strategy, ModelParallelStrategy),  # it keeps what it gathers
        plugins=[processes.environment or LightningEnvironment()],
        precision=schedule.precision,  # type: ignore[arg-type]
        max_steps=schedule.steps,
        val_check_interval=min(schedule.validate_every, schedule.steps),
        check_val_every_n_epoch=None,
        num_sanity_val_steps=0,
        use_distributed_sampler=False,
        logger=list(context.make_logger()) or False,
        log_every_n_steps=log_every,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        default_root_dir=context.folder,
        callbacks=[
            SeedEachStep(seed),
            StopWhenNotFinite(name, cause),
            LogOptimizer(len(clips[0]), schedule.batch_size, log_every),
            ClipGradients(name, schedule.gradient_clip, schedule.precision),
            throughput,
            *callbacks,
            keep,
            ReportProgress(context.folder, name, context.log, throughput=throughput),
            StopAtStepEnd(context.stop, keep),
        ],
    )
    training, validation = clips
    sampler = StepBatchSampler(
        training,
        schedule.batch_size,
        seed,
        lambda: trainer.global_step,
        processes.rank,
        processes.world,
        schedule.shuffle,
        None if lengths is None else lengths[training],
        schedule.bucket,
        None if context.store.weights is None else context.store.weights[training],
    )
    keys = fixed_keys(validation, seed)
    validated = ValidationBatches(keys, size, processes.rank, processes.world)
    with context.stop.deferred(), warnings.catch_warnings():
        # Asked at an epoch's end, of numbers that are the same on all processes already.
        warnings.filterwarnings("ignore", message="It is recommended to use .*sync_dist=True")
        # Its successor is not in the oldest torch that we run on.
        warnings.filterwarnings("ignore", message="`broadcast_buffers` is deprecated")
        trainer.fit(
            module,
            _loader(dataset, collate, sampler, context),
            _loader(dataset, collate, validated, context),
            ckpt_path=sound_checkpoint(context.folder, context.log, processes.is_first),
            weights_only=True,
        )
    context.log(f"  {name}: {throughput.words(throughput.whole)}")
    return {key: float(value) for key, value in trainer.callback_metrics.items()}


def _check_schedule(
    name: str, schedule: Schedule, lengths: np.ndarray | None, context: StageContext
) -> None:
    """Refuse what can't be done, before anything is.

    Raises:
        UserError: float16 without a GPU, which Lightning would replace by bfloat16 though the
            precision is part of the result's signature; buckets without lengths or shuffling.
    """
    if schedule.precision.startswith("16") and context.device.type != "cuda":
        raise UserError(
            f"stage {name}: precision={schedule.precision} needs a GPU; set "
            "trainer.precision=bf16-mixed or 32-true"
        )
    if schedule.bucket < 1 or (schedule.bucket > 1 and (lengths is None or not schedule.shuffle)):
        raise UserError(
            f"stage.{name}.schedule.bucket={schedule.bucket}: batches of similar lengths need "
            "clips whose lengths are known and shuffle=true; set it to 1"
        )


def _clips_of_a_process(name: str, schedule: Schedule, context: StageContext) -> int:
    """Clips a step of one process.

    Raises:
        UserError: the processes can't share the global batch evenly, or their number is not that of
            the devices.
    """
    batch, world, hardware = schedule.batch_size, context.processes.world, context.hardware
    if hardware.devices * hardware.num_nodes != world:
        raise UserError(
            f"stage {name}: trainer.hardware asks for {hardware.devices} devices on each of "
            f"{hardware.num_nodes} nodes, but {world} processes were started; "
            "use launcher=local or launcher=slurm"
        )
    size = share_of_batch(name, batch, world)
    if world > 1:
        context.log(f"  {name}: {batch} clips a step = {world} processes x {size}")
    return size


def _strategy(
    name: str, module: pl.LightningModule, schedule: Schedule, context: StageContext
) -> str | Strategy:
    """How processes share a step.

    Raises:
        UserError: a strategy of Lightning's that the losses and codebooks are not made for; float16
            with weights that are shared out.
    """
    wanted, world = context.hardware.strategy, context.processes.world
    if world == 1:
        return "auto" if wanted == SHARDED else wanted
    if wanted not in STRATEGIES:
        raise UserError(
            f"stage {name}: trainer.hardware.strategy={wanted} with {world} processes; choose "
            f"{', '.join(STRATEGIES[:-1])} or {STRATEGIES[-1]}"
        )
    if wanted == SHARDED and is_overridden("configure_model", module):
        if schedule.precision == "16-mixed":
            raise UserError(
                f"stage {name}: trainer.hardware.strategy={wanted} with precision=16-mixed; set "
                "trainer.precision=bf16-mixed or 32-true"
            )
        from motiongpt.training.sharding import ShardedStrategy

        return ShardedStrategy(world)
    # The codebook's statistics are sums over all processes already, the counts of a validation are
    # each process's own, and a process without a batch must not be waited for.
    return DDPStrategy(broadcast_buffers=False)


def _loader(
    dataset: Dataset, collate: Callable[..., Any], batches: Any, context: StageContext
) -> DataLoader:
    workers = context.hardware.workers
    return DataLoader(
        dataset,
        batch_sampler=batches,
        collate_fn=collate,
        num_workers=workers,
        pin_memory=context.device.type == "cuda",  # what Lightning then copies while it computes
        persistent_workers=workers > 0,
        worker_init_fn=let_through,  # they start while SIGTERM is held back
    )
