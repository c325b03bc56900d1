"""MotionGPT3's three stages: GPT-2's text branch, frozen at first, and a motion branch beside it."""

import numpy as np
import pytest
import torch
from transformers import GPT2Config, GPT2LMHeadModel, T5Config

from motiongpt.backbones.text_tokenizer import train_text_tokenizer
from motiongpt.data.build import build_store
from motiongpt.data.clip import Caption
from motiongpt.errors import UserError
from motiongpt.methods.base import MOTION_TO_TEXT, TEXT_TO_MOTION, MotionFormat, Request
from motiongpt.methods.motiongpt3.folder import TrainedMotionLanguageModel
from motiongpt.methods.motiongpt3.language import TEXT, TwoBranchLanguageModel
from motiongpt.methods.motiongpt3.method import MotionGPT3
from motiongpt.methods.motiongpt3.module import MotionLanguageModule
from motiongpt.methods.motiongpt3.published_text import check_text, fill_text_branch, read_text
from motiongpt.motion.skeleton import HUMANML3D
from motiongpt.preflight import Outlook
from motiongpt.training.stage import Hardware, StageContext
from tests.unit.fake_source import FakeSource, feature_clip
from tests.unit.mld_parts import WIDTH, small_codec
from tests.unit.test_motiongpt3 import make_stage

WORDS = ["a person walks", "a person jumps", "a person sits and waves"]
pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.fixture(scope="module")
def gpt2(tmp_path_factory):
    """A folder as `save_pretrained` writes it, of random weights."""
    folder = tmp_path_factory.mktemp("gpt2")
    tokenizer = train_text_tokenizer(WORDS, 400)
    config = GPT2Config(
        vocab_size=len(tokenizer), n_positions=40, n_embd=24, n_layer=2, n_head=3,
        bos_token_id=tokenizer.eos_token_id, eos_token_id=tokenizer.eos_token_id,
    )  # fmt: skip
    torch.manual_seed(4)
    model = GPT2LMHeadModel(config)
    for weights in model.parameters():
        torch.nn.init.normal_(weights, std=0.2)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return str(folder)


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    clips = [
        feature_clip(f"c{i}", split, frames=40, captions=(Caption(WORDS[i % 3]),))
        for i, split in enumerate(["train", "train", "train", "val"])
    ]
    return build_store(FakeSource(clips), tmp_path_factory.mktemp("toy") / "store", progress=False)


def test_the_text_branch_says_what_gpt2_says(gpt2):
    found = read_text(gpt2)
    model = TwoBranchLanguageModel(
        len(found.text_tokenizer), WIDTH, **found.sizes, dropout=0.0, hidden_tokens=4
    ).eval()
    fill_text_branch(model, found.weights)
    ids = torch.tensor([[5, 9, 2, 31, 7], [3, 3, 8, 0, 1]])
    with torch.no_grad():
        states = model.token_embedding(ids) + model.position_embedding.weight[:5]
        earlier = torch.ones(5, 5, dtype=torch.bool).tril()[None, None]
        for block in model.blocks:
            ((_, states),) = block([(TEXT, states)], earlier)
        hidden = model.norms[TEXT](states)
        logits = hidden @ model.token_embedding.weight.t()
        wanted = GPT2LMHeadModel.from_pretrained(gpt2).eval()(ids).logits
    torch.testing.assert_close(logits, wanted, rtol=1e-4, atol=1e-4)


def run(tmp_path, store, name, made, parents):
    context = StageContext(name, "s", tmp_path / name, parents, store, Hardware("cpu"), log=str)
    made.run(context)
    return TrainedMotionLanguageModel.load(tmp_path / name / "model")


def branches(model):
    """Numbers of the text branch, and of the rest of the language model."""
    text = {name for name, _ in model.network.language.text_branch()}
    state = model.network.language.state_dict()
    return (
        {name: value for name, value in state.items() if name in text},
        {name: value for name, value in state.items() if name not in text},
    )


def changed(before, after):
    return {name for name in before if not torch.equal(before[name], after[name])}


def test_three_stages_train_what_the_paper_says(gpt2, store, tmp_path):
    small_codec().save(tmp_path / "codec" / "model")
    parents = {"codec": tmp_path / "codec"}
    first = make_stage(source=gpt2, frozen_text=True, text=0.0, head_rate=2e-3)
    motion = run(tmp_path, store, "motion", first, parents)
    assert len(motion.text_tokenizer) == len(read_text(gpt2).text_tokenizer)
    words, rest = branches(motion)
    assert words.keys() == read_text(gpt2).weights.keys()
    assert not changed(words, read_text(gpt2).weights), "the text branch is GPT-2's"

    second = make_stage(before="motion", frozen_text=True, diffusion=0.5, text=1.0)
    aligned = run(tmp_path, store, "align", second, {**parents, "motion": tmp_path / "motion"})
    words_then, rest_then = branches(aligned)
    assert not changed(words, words_then)
    assert {"motion_input.weight", "blocks.0.motion.queries_keys_values.weight"} <= changed(
        rest, rest_then
    )
    third = make_stage(before="align", diffusion=0.5, text=1.0, learning_rate=1e-4)
    joint = run(tmp_path, store, "joint", third, {**parents, "align": tmp_path / "align"})
    assert "blocks.0.text.queries_keys_values.weight" in changed(words, branches(joint)[0])
    assert joint.network.scale == motion.network.scale

    folders = {"codec": tmp_path / "codec" / "model", "model": tmp_path / "joint" / "model"}
    method = MotionGPT3.load(folders, MotionFormat(20.0, HUMANML3D), steps=3)
    clip = np.zeros((20, 263), np.float32)
    asked = [
        Request("a", TEXT_TO_MOTION, text="a person walks", frames=24),
        Request("b", MOTION_TO_TEXT, motion=clip),
    ]
    one, other = method.generate(asked, 0)
    assert len(one.motion) == 24 and isinstance(other.text, str)


def test_the_head_has_a_rate_of_its_own(gpt2, store, tmp_path, monkeypatch):
    given = []
    own = MotionLanguageModule.configure_optimizers

    def seen(self):
        found = own(self)
        given.append([group["lr"] for group in found["optimizer"].param_groups])
        return found

    monkeypatch.setattr(MotionLanguageModule, "configure_optimizers", seen)
    small_codec().save(tmp_path / "codec" / "model")
    parents = {"codec": tmp_path / "codec"}
    run(tmp_path, store, "motion", make_stage(head_rate=5e-3), parents)
    run(tmp_path, store, "plain", make_stage(), parents)
    assert given == [[1e-3, 5e-3], [1e-3]]


def test_what_can_not_be_begun_with_is_said_before(gpt2, store, tmp_path):
    with pytest.raises(UserError, match="random weights would stay random"):
        make_stage(frozen_text=True).preflight(Outlook())
    with pytest.raises(UserError, match=r"motion_language\.source=.*no model in this folder"):
        make_stage(source=str(tmp_path)).preflight(Outlook())
    make_stage(source=gpt2, frozen_text=True).preflight(Outlook())
    T5Config().save_pretrained(tmp_path / "t5")
    (tmp_path / "t5" / "model.safetensors").touch()
    with pytest.raises(UserError, match="is a t5 model; the blocks of MotionGPT3 are GPT-2's"):
        check_text(str(tmp_path / "t5"))
    with pytest.raises(UserError, match="head_rate=0"):
        make_stage(head_rate=0)
