"""Stages of a small model on the simulated store, as the launcher runs them, a few steps each."""

import json
import shutil
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np
from omegaconf import OmegaConf

from launch.composition.build import build
from launch.composition.compose import compose_config
from launch.plans.graph import GRAPH_KEYS
from motiongpt.data.store import MotionStore
from motiongpt.methods.motiongpt.tasks.clip_tokens import WHOLE
from motiongpt.methods.motiongpt.tasks.pretraining_mix import PretrainingMix
from motiongpt.methods.motiongpt.token_store import TokenStore
from motiongpt.methods.motiongpt.training.language_data import LanguageExamples, TokenisedClips
from motiongpt.methods.motiongpt.training.unsupervised import LanguageModelling
from motiongpt.training.stage import Hardware, StageContext
from tests.benchmarks.humanml3d_size.part import Found, Part, Place

STEPS = 10
REQUESTS = 32
REPLICATIONS = 20
FRAMES_PER_TOKEN, CODEBOOK = 4, 512
# The quickstart's networks: a VQ-VAE of width 192, a T5 of 1.4 million parameters.
SETTINGS = (
    "experiment=quickstart",
    "logger=none",
    f"protocol.clips={REQUESTS}",
    "protocol.replications=1",
    "protocol.requests.multimodality.texts=0",
    *(
        f"stage.{name}.schedule.{key}={value}"
        for name in ("tokenizer", "pretrain", "instruct")
        for key, value in {
            "steps": STEPS,
            "validate_every": STEPS,
            "checkpoint_every": 1000,
        }.items()
    ),
)
PARENTS = {
    "tokenizer": (),
    "tokens": ("tokenizer",),
    "pretrain": ("tokens",),
    "instruct": ("tokens", "pretrain"),
    "generate": ("tokenizer", "instruct"),
}


def run(stage: str, place: Place, overrides: Sequence[str] = ()) -> tuple[float, dict[str, Any]]:
    """Run a stage; seconds, and what its `throughput.json` says, empty where it trains nothing."""
    folder = place.run(stage)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    settings = OmegaConf.to_container(compose_config([*SETTINGS, *overrides]).stage[stage])
    wanted = {key: value for key, value in settings.items() if key not in GRAPH_KEYS}
    context = StageContext(
        stage=stage,
        signature="",
        folder=folder,
        parents={name: place.run(name) for name in PARENTS[stage]},
        store=MotionStore.open(place.store),
        hardware=Hardware(accelerator="cpu", threads=place.threads),
        log=lambda line: print(line, flush=True),
    )
    made = build(wanted, _recursive_=False)
    begun = time.perf_counter()
    made.run(context)
    seconds = time.perf_counter() - begun
    said = folder / "throughput.json"
    return seconds, json.loads(said.read_text()) if said.exists() else {}


def epoch(stage: str, place: Place) -> Found:
    """An epoch from the clips a second of the measured steps."""
    _, said = run(stage, place)
    train = len(MotionStore.open(place.store).indices("train"))
    rate = said["clips_per_second"]
    # Clips that were drawn in the measured steps, at the rate that the stage itself counts.
    done = STEPS * OmegaConf.select(compose_config(SETTINGS), f"stage.{stage}.schedule.batch_size")
    return Found(done / rate, done, train)


def tokens(place: Place) -> Found:
    """Every clip as tokens, whole and in parts."""
    seconds, _ = run("tokens", place)
    return Found(seconds, place.clips, place.clips)


def indices(place: Place) -> Found:
    """Which clips a language stage trains on and validates on; their tokens are made up."""
    store, folder = MotionStore.open(place.store), place.folder / "made_up_tokens"
    views = [WHOLE, *compose_config(SETTINGS).stage.tokens.views]
    codes = [
        np.zeros(max(1, int(frames) // FRAMES_PER_TOKEN), np.int64) for frames in store.lengths
    ]
    TokenStore.write(folder, dict.fromkeys(views, codes), FRAMES_PER_TOKEN, CODEBOOK)
    clips = TokenisedClips(store, TokenStore.open(folder))
    mix = PretrainingMix(CODEBOOK, LanguageModelling())
    begun = time.perf_counter()
    examples = LanguageExamples(clips, mix)
    found = [*examples.indices("train"), *examples.indices("val")]
    seconds = time.perf_counter() - begun
    assert found, "no clip to train on"
    return Found(seconds, place.clips, place.clips)


def generate(place: Place) -> Found:
    """20 replications of all requests of all tasks, from one of a few clips.

    Asked twice, of fewer clips and of more: what both need alike (the model opened) is needed once.
    """
    asked = len(MotionStore.open(place.store).indices("test"))
    fewer, more = min(REQUESTS // 4, asked // 2), min(REQUESTS, asked)
    brief, _ = run("generate", place, [f"protocol.clips={fewer}"])
    seconds, _ = run("generate", place)
    once = max(0.0, seconds - (seconds - brief) * more / (more - fewer))
    return Found(seconds, more, REPLICATIONS * asked, fixed=once)


def _few(name: str, title: str, unit: str, measure: Callable[[Place], Found]) -> Part:
    """A part that does a few steps or requests, however many clips there are."""
    return Part(name, title, unit, measure, most=4000, grows=False)


PARTS = (
    _few("tokenizer", "an epoch of the VQ-VAE", "clips", partial(epoch, "tokenizer")),
    Part("tokens", "all clips as tokens, whole and three parts", "clips", tokens, most=4000),
    Part("indices", "which clips the language stages take", "clips", indices),
    _few("pretrain", "an epoch of pretraining", "clips", partial(epoch, "pretrain")),
    _few("instruct", "an epoch of instruction tuning", "clips", partial(epoch, "instruct")),
    _few("generate", "20 replications of all four tasks", "clips asked", generate),
)
