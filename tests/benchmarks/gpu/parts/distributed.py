"""DDP and FSDP over all GPUs (NCCL), or over two processes of a CPU (gloo), beside one process."""

import json
import os
import socket
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import lightning.pytorch as pl
import torch
import torch.distributed as dist
import torch.multiprocessing as mp
from lightning.fabric.plugins.environments import TorchElasticEnvironment
from lightning.pytorch.strategies import DDPStrategy, Strategy
from torch.utils.data import DataLoader

from launch.jobs.processes import local_variables
from motiongpt.distributed import process_group_ended
from motiongpt.methods.motiongpt.tasks.example import Example
from motiongpt.methods.motiongpt.training.language_batch import LanguageBatch, collate_parts
from motiongpt.methods.motiongpt.training.language_module import LanguageModule
from motiongpt.training.sharding import ShardedStrategy
from tests.benchmarks.gpu.differences import relative
from tests.benchmarks.gpu.number import Number, at_most, told
from tests.benchmarks.speed.language import LANGUAGE_SIZES, pairs, random_backbone
from tests.benchmarks.speed.part import Settings
from tests.benchmarks.speed.process import peak_memory
from tests.benchmarks.speed.training import adam_w

TITLE = "Several processes beside one"
STEPS = 3
LOSS = 1e-4  # of each step, relative
SHARES = {"cpu": 2}  # processes where there are no GPUs to count
ALONE = "one process"


class Losses(pl.Callback):
    """Keeps the loss of every step, and what the processes talk by."""

    def __init__(self) -> None:
        self.found: list[float] = []
        self.backend = "nothing"

    def on_train_batch_end(
        self, trainer: pl.Trainer, module: pl.LightningModule, *other: Any
    ) -> None:
        """Called by Lightning."""
        self.found.append(float(trainer.callback_metrics["train/loss"]))
        if dist.is_initialized():  # Lightning ends a group of NCCL when the training ends
            self.backend = dist.get_backend()


def measure(settings: Settings) -> Iterator[Number]:
    """Losses of each step, and the memory of a process; the clips of a step are the same."""
    settings = replace(settings, dropout=0.0)
    clips = LANGUAGE_SIZES[settings.size].clips
    world = SHARES.get(settings.device) or torch.cuda.device_count()
    while clips % world:  # a step's clips are shared out evenly
        world -= 1
    with TemporaryDirectory() as name:
        alone = _trained(settings, ALONE, 1, Path(name))
        yield told(f"{ALONE}: most memory", alone["memory"] / 2**20, "MiB")
        for strategy in ("ddp", "fsdp"):
            found = _trained(settings, strategy, world, Path(name))
            where = f"{strategy} over {found['backend']}, {world} process(es)"
            both = zip(found["losses"], alone["losses"], strict=True)
            worst = max(relative(one, other) for one, other in both)
            yield at_most(f"{where}: loss of a step differs by (relative)", worst, LOSS)
            yield told(f"{where}: most memory of a process", found["memory"] / 2**20, "MiB")


def _trained(settings: Settings, strategy: str, world: int, folder: Path) -> dict[str, Any]:
    """What the first of `world` processes found.

    Raises:
        Exception: whatever one of them raised.
    """
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    file = folder / f"{strategy}.json"
    mp.spawn(_train, (settings, strategy, world, port, file), nprocs=world)
    found: dict[str, Any] = json.loads(file.read_text())
    return found


def _train(rank: int, settings: Settings, strategy: str, world: int, port: int, file: Path) -> None:
    os.environ.update(local_variables(rank, world, port, "benchmark"))
    torch.set_num_threads(max(1, settings.threads // world))
    losses = Losses()
    with process_group_ended():
        torch.manual_seed(settings.seed)
        backbone = random_backbone(replace(settings, device="cpu")).train()
        module = LanguageModule(backbone, partial(adam_w, fused=True), _constant)
        trainer = pl.Trainer(
            accelerator="gpu" if settings.device == "cuda" else "cpu",
            devices=world,
            strategy=_strategy(strategy, world),
            plugins=[TorchElasticEnvironment()],
            max_steps=STEPS,
            logger=False,
            enable_checkpointing=False,
            enable_progress_bar=False,
            enable_model_summary=False,
            callbacks=[losses],
            default_root_dir=file.parent,
        )
        mine = pairs(settings)[rank::world]
        own = collate_parts([Example(one.input, one.target) for one in mine], backbone)
        # One at a time, as it is: no batch of batches.
        trainer.fit(module, DataLoader([own] * STEPS, batch_size=None, collate_fn=_same))
        if rank == 0:
            memory = peak_memory(settings.device)
            found = {"losses": losses.found, "memory": memory, "backend": losses.backend}
            file.write_text(json.dumps(found))


def _strategy(name: str, world: int) -> str | Strategy:
    """As `motiongpt.training.fit` chooses it; FSDP also of one process, to show that it works."""
    if name == "fsdp":
        return ShardedStrategy(world)
    return DDPStrategy(broadcast_buffers=False) if name == "ddp" else "auto"


def _same(batch: LanguageBatch) -> LanguageBatch:
    return batch


def _constant(optimizer: torch.optim.Optimizer) -> torch.optim.lr_scheduler.LRScheduler:
    return torch.optim.lr_scheduler.ConstantLR(optimizer, factor=1.0)
