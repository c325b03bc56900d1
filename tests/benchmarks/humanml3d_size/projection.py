"""What `experiment=motiongpt_base` costs on one GPU: operations counted, the speed assumed.

A projection, no measurement. Operations of a training step: 6 x parameters x tokens of the language
model (arXiv:2001.08361, section 2.1; its output embedding at the labels only), 3 x those of a forward
of the VQ-VAE, whose products are counted. Seconds = operations / (peak x utilisation).
"""

from dataclasses import dataclass

import torch
from torch.utils.flop_counter import FlopCounterMode

from launch.composition.compose import compose_config
from motiongpt.motion.skeleton import HUMANML3D
from motiongpt.training.step_cost import FORWARD_AND_BACKWARD
from tests.benchmarks.humanml3d_size.simulation import CAPTION_WORDS, FRAMES, SHARE_OF_LONGEST
from tests.benchmarks.speed.language import LANGUAGE_SIZES, random_model
from tests.benchmarks.speed.motion import MOTION_SIZES, random_vq_vae
from tests.benchmarks.speed.part import Settings

BASE = Settings(size="base")
FRAMES_PER_TOKEN = 4
WORDPIECES = 1.3  # of a word, with the prompt's
PROMPT_TOKENS = 12


@dataclass(frozen=True)
class Cost:
    """Of one stage.

    Attributes:
        stage: its name.
        steps: of the optimizer.
        flops: operations of a step.
    """

    stage: str
    steps: int
    flops: float

    def hours(self, peak: float, utilisation: float) -> float:
        """On a device of `peak` operations a second, of which a share is used."""
        return self.steps * self.flops / (peak * utilisation) / 3600


def costs() -> list[Cost]:
    """The three stages with the steps and batches of conf/experiment/motiongpt_base.yaml."""
    stages = compose_config(["experiment=motiongpt_base"]).stage
    tokenizer, language = stages.tokenizer.schedule, stages.pretrain.schedule
    windows = tokenizer.batch_size * vq_vae_flops(stages.tokenizer.window)
    frames = SHARE_OF_LONGEST * FRAMES[1] + (1 - SHARE_OF_LONGEST) * sum(FRAMES) / 2
    motion = frames / FRAMES_PER_TOKEN + 2
    words = PROMPT_TOKENS + WORDPIECES * CAPTION_WORDS[0]
    step = language.batch_size * language_flops(words, motion)
    return [
        Cost("tokenizer", tokenizer.steps, FORWARD_AND_BACKWARD * windows),
        Cost("pretrain", language.steps, step),
        Cost("instruct", stages.instruct.schedule.steps, step),
    ]


def vq_vae_flops(frames: int) -> float:
    """Operations of a forward of the paper's VQ-VAE on one window; nothing is computed."""
    with torch.device("meta"):
        network = random_vq_vae(BASE).eval()
        window = torch.empty(1, frames, HUMANML3D.n_features)
    with FlopCounterMode(display=False) as counted, torch.no_grad():
        latents = network.encoder(window.transpose(1, 2))
        network.decoder(latents)
    codes = frames // FRAMES_PER_TOKEN
    size = MOTION_SIZES[BASE.size]
    return float(counted.get_total_flops()) + 2.0 * codes * size.codebook * size.width


def language_flops(inputs: float, targets: float) -> float:
    """Operations of a training step of flan-t5-base on one example of so many tokens."""
    with torch.device("meta"):
        model, _ = random_model(Settings(size="base", device="meta"))
    encoder, decoder = (
        sum(weight.numel() for weight in part.block.parameters())
        for part in (model.encoder, model.decoder)
    )
    output = LANGUAGE_SIZES[BASE.size].rows * LANGUAGE_SIZES[BASE.size].width
    return 2.0 * FORWARD_AND_BACKWARD * (encoder * inputs + (decoder + output) * targets)
