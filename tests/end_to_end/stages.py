"""Stages as the launcher runs them, on a small store, with what each step logged kept."""

import json
import os
import signal
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from omegaconf import OmegaConf

from launch.composition.build import build
from launch.composition.compose import compose_config
from launch.plans.graph import GRAPH_KEYS
from motiongpt.data.build import build_store
from motiongpt.data.store import MotionStore
from motiongpt.files import write_json
from motiongpt.training import fit as fitting
from motiongpt.training.callbacks import SeedEachStep
from motiongpt.training.stage import Hardware, Processes, StageContext
from motiongpt.training.stopping import Interrupted, StopRequest
from tests.unit.fake_source import FakeSource, joint_clip

STEPS = 12
SCHEDULE = f"{{steps: {STEPS}, batch_size: 8, validate_every: 6, checkpoint_every: 100}}"
SETTINGS = [
    "debug=tiny",
    "scheduler=constant",
    "tokenizer.codebook_size=16",
    "stage.tokenizer.window=48",
    "stage.tokenizer.learning_rate=1e-3",
    "protocol.replications=3",
    "protocol.clips=3",
    "protocol.max_frames=40",
    *(f"stage.{name}.schedule={SCHEDULE}" for name in ("tokenizer", "pretrain", "instruct")),
]


class Curve(SeedEachStep):
    """Keeps what was logged at each step, one line a step, and can have the process stopped."""

    path: Path
    stop_in_step: int | None

    def on_train_batch_start(self, trainer, module, batch, batch_idx):
        super().on_train_batch_start(trainer, module, batch, batch_idx)
        if trainer.global_step + 1 == self.stop_in_step:
            os.kill(os.getpid(), signal.SIGTERM)

    def on_train_batch_end(self, trainer, module, outputs, batch, batch_idx):
        logged = {name: float(value) for name, value in trainer.callback_metrics.items()}
        with self.path.open("a") as lines:
            lines.write(json.dumps(logged | {"step": trainer.global_step}) + "\n")


def small_store(folder: Path, validation: int) -> None:
    """20 training clips and `validation` others, of many lengths: processes' shares differ."""
    clips = [
        joint_clip(f"{split}{place}", split, 21 + (place * 37) % 60, seed=place)
        for split, count in (("train", 20), ("val", validation), ("test", 4))
        for place in range(count)
    ]
    build_store(FakeSource(clips), folder, progress=False)


def run_stage(
    processes: Processes,
    store: Path,
    folder: Path,
    stage: str,
    overrides: tuple[str, ...] = (),
    parents: Mapping[str, Path] | None = None,
    stop_in_step: int | None = None,
    accelerator: str = "cpu",
    **hardware: Any,
) -> None:
    """Leave in `folder` what the stage writes, each process's `curve-R.jsonl`, and its metrics or
    {"interrupted": 1.0} as `ended-R.json`.

    Args:
        hardware: further fields of `Hardware`.
    """
    folder.mkdir(parents=True, exist_ok=True)
    settings = OmegaConf.to_container(compose_config([*SETTINGS, *overrides]).stage[stage])
    wanted = {key: value for key, value in settings.items() if key not in GRAPH_KEYS}
    fitting.SeedEachStep = Curve
    Curve.path, Curve.stop_in_step = folder / f"curve-{processes.rank}.jsonl", stop_in_step
    with StopRequest().listening() as stop:
        context = StageContext(
            stage=stage,
            signature="",
            folder=folder,
            parents=parents or {},
            store=MotionStore.open(store),
            hardware=Hardware(accelerator=accelerator, devices=processes.world, **hardware),
            processes=processes,
            stop=stop,
            log=(lambda line: print(line, flush=True)) if processes.is_first else str,
        )
        try:
            ended = build(wanted, _recursive_=False).run(context)
        except Interrupted:
            ended = {"interrupted": 1.0}
    write_json(folder / f"ended-{processes.rank}.json", dict(ended))


def curve(folder: Path, rank: int = 0) -> list[dict[str, float]]:
    """What was logged at each step."""
    return [json.loads(line) for line in (folder / f"curve-{rank}.jsonl").read_text().splitlines()]


def ended(folder: Path, rank: int = 0) -> dict[str, float]:
    """The metrics that a process's `run` returned."""
    return json.loads((folder / f"ended-{rank}.json").read_text())
