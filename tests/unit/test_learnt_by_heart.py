"""Each generating method learns 32 clips by heart, and what it makes follows from the words alone.

T2M-GPT's is in test_t2m_gpt_stage.py, those of the codecs in test_continuous_training.py and
test_vq_vae.py.
"""

from functools import partial
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from motiongpt.backbones.t5 import T5Backbone
from motiongpt.methods.base import TEXT_TO_MOTION, MotionFormat, Request
from motiongpt.methods.mld.denoiser import LatentDenoiser
from motiongpt.methods.mld.examples import LatentExample
from motiongpt.methods.mld.module import LatentDiffusionModule
from motiongpt.methods.mld.sampling import guided_latents
from motiongpt.methods.mld.schedule import NoiseSchedule
from motiongpt.methods.motiongpt.generation.decoding import Decoding
from motiongpt.methods.motiongpt.method import MotionGPTMethod
from motiongpt.methods.motiongpt.options import Options
from motiongpt.motion.skeleton import HUMANML3D
from tests.unit.tiny_models import CODES, tiny_tokenizer

CLIPS = 32
WHO = ("a man", "a woman", "someone", "the person")
WHAT = ("walks", "runs", "jumps", "sits", "waves", "kicks", "turns", "bows")
CAPTIONS = [f"{who} {what}." for who in WHO for what in WHAT]


def by_heart(made, wanted) -> int:
    return sum(np.array_equal(one, two) for one, two in zip(made, wanted, strict=True))


def test_motiongpt_learns_32_clips_by_heart_and_reads_the_words():
    rng = np.random.default_rng(0)
    codes = [rng.integers(CODES, size=rng.integers(3, 9)) for _ in range(CLIPS)]
    torch.manual_seed(0)
    backbone = T5Backbone.scratch(
        CODES, CAPTIONS, width=64, feed_forward_width=128, encoder_layers=1, decoder_layers=1
    )
    options = Options(motion_decoding=Decoding("greedy"))
    method = MotionGPTMethod(
        tiny_tokenizer(), backbone, MotionFormat(20.0, HUMANML3D), options=options
    )

    def prompted(captions):
        return method.prompted(
            [Request(str(row), TEXT_TO_MOTION, text) for row, text in enumerate(captions)]
        )

    examples = [
        SimpleNamespace(input=one.prompt, target=backbone.vocabulary.write(row))
        for one, row in zip(prompted(CAPTIONS), codes, strict=True)
    ]
    batch = backbone.collate(examples)
    optimizer = torch.optim.AdamW(backbone.parameters(), lr=4e-3)
    for _ in range(200):
        loss = backbone.loss(batch)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    backbone.eval()

    def made(captions):
        asked = prompted(captions)
        strings = method._strings(asked, options.motion_decoding, seed=0)
        return [one.task.codes(text) for one, text in zip(asked, strings, strict=True)]

    assert by_heart(made(CAPTIONS), codes) >= 31
    shuffled = [*CAPTIONS[1:], CAPTIONS[0]]
    assert by_heart(made(shuffled), codes) == 0


@pytest.mark.long
@pytest.mark.slow
def test_mld_learns_32_latents_by_heart_and_reads_the_words():
    torch.manual_seed(0)
    width = 32
    denoiser = LatentDenoiser(
        latent_tokens=1, width=width, text_width=width, feed_forward=128, layers=3, dropout=0.0
    )
    latents, texts, nothing = (
        2 * torch.randn(CLIPS, 1, width),
        2 * torch.randn(CLIPS, width),
        torch.zeros(width),
    )
    schedule = NoiseSchedule()
    module = LatentDiffusionModule(
        denoiser, schedule, nothing, partial(torch.optim.AdamW, lr=3e-3), lambda _: None
    )
    module.log = lambda *arguments, **others: None
    optimizer = torch.optim.AdamW(denoiser.parameters(), lr=3e-3)
    rate = torch.optim.lr_scheduler.OneCycleLR(optimizer, 3e-3, total_steps=2500)
    for _ in range(2500):
        rows = torch.randint(CLIPS, (128,))
        noise, steps = torch.randn(128, 1, width), torch.randint(schedule.steps, (128,))
        dropped = torch.rand(128) < 0.1
        batch = LatentExample(latents[rows], texts[rows], dropped, noise, steps)
        loss = module.training_step(batch, 0)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        rate.step()
    denoiser.eval()

    @torch.no_grad()
    def nearest(told):
        noise = torch.randn(CLIPS, 1, width)
        *_, made = guided_latents(denoiser, schedule, noise, told, nothing, 50, guidance=3.0)
        return torch.cdist(made.flatten(1), latents.flatten(1)).argmin(1)

    own = torch.arange(CLIPS)
    assert (nearest(texts) == own).sum() >= 24
    assert (nearest(texts.roll(1, 0)) == own).sum() <= 2
