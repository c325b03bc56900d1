"""MotionGPT3's continuous path: its two branches, its chain, its stage and its method."""

import math

import numpy as np
import pytest
import torch
from omegaconf import OmegaConf

from motiongpt.backbones.text_tokenizer import train_text_tokenizer
from motiongpt.data.build import build_store
from motiongpt.data.clip import Caption
from motiongpt.errors import UserError
from motiongpt.methods.base import MOTION_TO_TEXT, PREDICTION, TEXT_TO_MOTION, MotionFormat, Request
from motiongpt.methods.motiongpt3.diffusion import Diffusion, visited_steps
from motiongpt.methods.motiongpt3.examples import Pair
from motiongpt.methods.motiongpt3.folder import TrainedMotionLanguageModel
from motiongpt.methods.motiongpt3.method import MotionGPT3, Sampling
from motiongpt.methods.motiongpt3.network import MotionLanguageModel
from motiongpt.methods.motiongpt3.stage import MotionGPT3Stage
from motiongpt.motion.skeleton import HUMANML3D
from motiongpt.training.stage import Hardware, StageContext
from tests.unit.fake_source import FakeSource, feature_clip
from tests.unit.mld_parts import LONGEST, WIDTH, small_codec
from tests.unit.tiny_models import tiny_tokenizer

FORMAT = MotionFormat(20.0, HUMANML3D)
WORDS = ["a person walks", "a person jumps", "a person sits and waves"]
LANGUAGE = {"width": 16, "layers": 2, "heads": 2, "dropout": 0.0, "positions": 40}
HEAD = {"width": 16, "depth": 2, "dropout": 0.0, "positions": 8}


def small_network(seed: int = 0, head_width: int = 16, **changes: int) -> MotionLanguageModel:
    torch.manual_seed(seed)
    language = {**LANGUAGE, "hidden_tokens": 4, "vocabulary": 400, "latent_numbers": WIDTH}
    head = {
        **HEAD,
        "width": head_width,
        "latent_width": WIDTH,
        "latent_tokens": 1,
        "hidden_width": 16,
    }
    return MotionLanguageModel({**language, **changes}, {**head, "hidden_tokens": 4}, 0.8).eval()


def small_method(**options: object) -> MotionGPT3:
    network = small_network()
    with torch.no_grad():  # a head that has learnt nothing gives nothing
        for parameter in network.parameters():
            if parameter.dim() > 1:
                parameter.normal_(std=0.3)
    tokenizer = train_text_tokenizer(WORDS, 400)
    model = TrainedMotionLanguageModel(network, tokenizer, np.array([9, 20, 31, 44], np.int64))
    return MotionGPT3(small_codec(), model, Sampling(**{"steps": 5, **options}))


def clip(frames: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((frames, 263)).astype(np.float32)


REQUESTS = [
    Request("a", TEXT_TO_MOTION, WORDS[0], 30),
    Request("b", MOTION_TO_TEXT, motion=clip(33)),
    Request("c", TEXT_TO_MOTION, WORDS[2], 11),
    Request("d", TEXT_TO_MOTION, "", None),
    Request("e", MOTION_TO_TEXT, motion=clip(90, 1)),
]


def test_motions_and_sentences_whatever_else_is_asked():
    method = small_method()
    found = method.generate(REQUESTS, 3)
    assert [len(found[row].motion) for row in (0, 2)] == [30, 11]
    assert len(found[3].motion) in (9, 20, 31, 44) and found[1].motion is None
    assert isinstance(found[1].text, str)
    others, again = method.generate(REQUESTS, 4), method.generate(REQUESTS, 3)
    assert np.abs(others[0].motion - found[0].motion).max() > 1e-3
    assert [one.text for one in others] == [one.text for one in found]
    small = small_method(batch_size=1).generate(REQUESTS[::-1], 3)[::-1]
    for one, same, alone in zip(found, again, small, strict=True):
        assert one.text == same.text == alone.text
        if one.motion is not None:
            np.testing.assert_array_equal(one.motion, same.motion)
            np.testing.assert_allclose(one.motion, alone.motion, atol=2e-3)


@pytest.mark.parametrize("options", [{"steps": 2}, {"guidance": 1.0}, {"temperature": 0.0}])
def test_each_setting_changes_the_motion(options):
    usual, changed = (small_method(**one).generate(REQUESTS[:1], 3) for one in ({}, options))
    assert np.abs(usual[0].motion - changed[0].motion).max() > 1e-4


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"steps": 0}, "steps=0 of the diffusion; choose 1 to 1000"),
        ({"steps": 1001}, "steps=1001"),
        ({"guidance": math.inf}, "guidance=inf; expected a finite number"),
        ({"length": "long"}, "length=long; choose training or"),
        ({"max_words": 0}, "max_words=0"),
        ({"colour": 1}, "no option colour"),
    ],
)
def test_settings_that_there_are_not_are_said_before_anything_is_trained(options, said):
    with pytest.raises(UserError, match=said):
        MotionGPT3.foresee(**options)


@pytest.mark.parametrize(
    ("request_", "said"),
    [
        (Request("x", PREDICTION), "cannot do prediction; it can: text_to_motion, motion_to_text"),
        (Request("x", TEXT_TO_MOTION, None, 20), "needs a text"),
        (Request("x", MOTION_TO_TEXT), "needs a motion"),
        (Request("x", TEXT_TO_MOTION, "walk", LONGEST + 1), "59 frames asked for"),
    ],
)
def test_what_it_cannot_do_is_refused_by_name(request_, said):
    with pytest.raises(UserError, match=said):
        small_method().generate([request_], 0)


@torch.no_grad()
def test_padding_of_a_text_changes_no_hidden_state():
    language = small_network().language
    ids = torch.randint(400, (2, 9))
    lengths = torch.tensor([9, 5])
    together = language.motion_of_text(ids, lengths)
    alone = language.motion_of_text(ids[1:, :5], lengths[1:])
    torch.testing.assert_close(together[1:], alone, atol=1e-5, rtol=1e-5)
    other = ids.clone()
    other[1, 5:] = 7
    torch.testing.assert_close(language.motion_of_text(other, lengths), together)


@torch.no_grad()
def test_a_word_is_told_by_the_motion_and_the_words_before_it_alone():
    language = small_network().language
    latents, ids = torch.randn(2, 1, WIDTH), torch.randint(400, (2, 6))
    logits = language.logits_of_motion(latents, ids)
    later = ids.clone()
    later[:, 4:] = 3
    torch.testing.assert_close(language.logits_of_motion(latents, later)[:, :4], logits[:, :4])
    assert (language.logits_of_motion(latents + 1, ids) - logits).abs().max() > 1e-4


def test_the_chain_gives_back_what_noise_was_added_to():
    latents, noise = torch.randn(3, 1, 4), torch.randn(3, 1, 4)
    chain = Diffusion(1)
    assert visited_steps(1).tolist() == [999] and visited_steps(3).tolist() == [0, 500, 999]
    noisy = chain.add_noise(latents, noise, torch.zeros(3, dtype=torch.int64))
    torch.testing.assert_close(chain.back(noisy, noise, 0, noise), latents, atol=1e-4, rtol=1e-4)


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    clips = [
        feature_clip("first", "train", 40, 0, captions=(Caption("one"), Caption("two"))),
        feature_clip("second", "train", 90, 1),
        feature_clip("checked", "val", 50, 3),
    ]
    return build_store(FakeSource(clips), tmp_path_factory.mktemp("mg3") / "s", progress=False)


def make_stage(**changes: object) -> MotionGPT3Stage:
    settings = {
        "language": {**LANGUAGE, "hidden_tokens": 4},
        "head": HEAD,
        "text_tokens": 400,
        "draws": 2,
        "drop_text": 0.1,
        "diffusion": 1.0,
        "text": 0.5,
        "optimizer": {"_target_": "torch.optim.AdamW", "_partial_": True},
        "scheduler": {"_target_": "motiongpt.training.schedulers.constant", "_partial_": True},
        "learning_rate": 1e-3,
        "schedule": {"steps": 4, "batch_size": 2, "validate_every": 2, "checkpoint_every": 2},
        "seed": 5,
    }
    return MotionGPT3Stage(**OmegaConf.create({**settings, **changes}))


@pytest.mark.filterwarnings("ignore")
def test_the_stage_trains_what_the_method_opens(store, tmp_path):
    small_codec().save(tmp_path / "codec" / "model")
    parents = {"codec": tmp_path / "codec"}

    def run(folder):
        context = StageContext(
            "motiongpt3", "s", folder, parents, store, hardware=Hardware("cpu"), log=str
        )
        return make_stage().run(context)

    metrics = run(tmp_path / "run")
    assert {"val/loss", "val/diffusion", "val/text"} <= set(metrics)
    assert all(np.isfinite(value) for value in metrics.values())
    assert run(tmp_path / "again") == metrics
    folders = {"codec": tmp_path / "codec" / "model", "model": tmp_path / "run" / "model"}
    method = MotionGPT3.load(folders, FORMAT, steps=3)
    assert method.model.lengths.tolist() == [40, LONGEST]
    assert len(method.generate(REQUESTS[:1], 0)[0].motion) == 30
    with pytest.raises(UserError, match="needs its part 'model'"):
        MotionGPT3.load({"codec": folders["codec"]}, FORMAT)
    tiny_tokenizer().save(tmp_path / "tokenizer")
    with pytest.raises(UserError, match="tokenizer.json: it is of another kind"):
        MotionGPT3.load(folders | {"codec": tmp_path / "tokenizer"}, FORMAT)
    with pytest.raises(UserError, match="latents of 1 x 16 numbers, the codec has 1 x 32"):
        MotionGPT3(small_codec(width=32), method.model)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"drop_text": 1.5}, "drop_text=1.5 must lie between 0 and 1"),
        ({"draws": 0}, "draws=0"),
        ({"diffusion": 0.0}, "diffusion=0.0"),
    ],
)
def test_settings_of_the_stage_that_make_no_sense_are_refused(changes, said):
    with pytest.raises(UserError, match=said):
        make_stage(**changes)


@pytest.mark.long
@pytest.mark.slow
def test_it_learns_32_clips_by_heart_both_ways():
    torch.manual_seed(0)
    count = 32
    # a head as narrow as its latents has no room for both the noisy one and the one it is told of
    network = small_network(vocabulary=20, head_width=64).train()
    latents = torch.randn(count, 1, WIDTH)
    ids = torch.randint(1, 20, (count, 5))
    ids[:, -1] = 0
    optimizer = torch.optim.AdamW(network.parameters(), lr=3e-3)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 3e-3, total_steps=800)
    chain = Diffusion()
    for _ in range(800):
        pairs = Pair(
            latents,
            ids,
            torch.full((count,), 5),
            torch.randn(count, 4, 1, WIDTH),
            torch.randint(1000, (count, 4)),
            torch.zeros(count, 4, dtype=torch.bool),
            5 * count,
        )
        found = network.losses(pairs, chain)
        optimizer.zero_grad()
        (found.diffusion + found.text).backward()
        optimizer.step()
        schedule.step()
    network.eval()

    @torch.no_grad()
    def nearest(words):
        hidden = network.language.motion_of_text(words, torch.full((count,), 5))
        steps = Diffusion(20)
        noise = torch.randn(21, count, 1, WIDTH)

        def noise_of(noisy, at):
            return network.head(noisy, at, hidden)

        *_, (made, _) = steps.sample(noise_of, noise[0], noise[1:])
        return torch.cdist(made.flatten(1), latents.flatten(1)).argmin(1)

    own = torch.arange(count)
    assert (nearest(ids) == own).sum() >= 26
    assert (nearest(ids.roll(1, 0)) == own).sum() <= 2
    with torch.no_grad():
        read = torch.nn.functional.pad(ids[:, :-1], (1, 0))
        said = network.language.logits_of_motion(latents, read).argmax(-1)
    assert (said == ids).all(1).sum() >= 28
