import numpy as np
import pytest

from launch.composition.build import build
from launch.composition.compose import compose_config
from launch.plans.graph import GRAPH_KEYS
from motiongpt.data.build import build_store
from motiongpt.errors import UserError
from motiongpt.methods.motiongpt.tasks.clip_tokens import WHOLE
from motiongpt.methods.motiongpt.token_store import TokenStore
from motiongpt.methods.motiongpt.training.tokens_stage import TOKENS
from motiongpt.training.captioned import captioned_clips, log_clips_without_captions
from motiongpt.training.stage import StageContext
from tests.unit.fake_source import FakeSource, joint_clip


def stage(*overrides, name="tokenizer"):
    settings = compose_config(["debug=tiny", *overrides]).stage[name]
    return build(
        {key: value for key, value in settings.items() if key not in GRAPH_KEYS}, _recursive_=False
    )


@pytest.mark.parametrize("override", ["downsampling=8", "tokenizer.frames_per_token=8"])
def test_the_rate_is_that_of_the_network(tmp_path, override):
    store = build_store(FakeSource([joint_clip("a"), joint_clip("b", "val")]), tmp_path / "data")
    context = StageContext("tokenizer", "", tmp_path, {}, store)
    with pytest.raises(UserError, match=r"window is 7 frames, less than one token \(8 frames\)"):
        stage(override, "stage.tokenizer.window=7").run(context)


@pytest.mark.parametrize(
    ("name", "override"),
    [("instruct", "tasks.codebook_size=32"), ("pretrain", "stage.pretrain.codebook_size=32")],
)
def test_the_codebook_is_that_of_the_tokens(tmp_path, name, override):
    TokenStore.write(tmp_path / TOKENS, {WHOLE: [np.arange(4)]}, 4, 16)
    context = StageContext(name, "", tmp_path, {"tokens": tmp_path}, store=None)
    with pytest.raises(UserError, match="codebook of 16 codes, the configuration asks for 32"):
        stage(override, "tokenizer.codebook_size=16", name=name).run(context)


def test_a_language_stage_says_how_many_clips_have_no_words(tmp_path):
    clips = [joint_clip("told"), joint_clip("mute", captions=()), joint_clip("b", "val")]
    some = build_store(FakeSource(clips), tmp_path / "some", progress=False)
    none = build_store(FakeSource(clips[1:]), tmp_path / "none", progress=False)
    said = []
    context = StageContext("instruct", "", tmp_path, {}, some, log=said.append)
    log_clips_without_captions("instruct", np.array([0]), context)
    assert len(said) == 1 and "1 of 2 training clips have no caption" in said[0]
    train, val = captioned_clips("mld", context)
    assert (train.tolist(), val.tolist(), len(said)) == ([0], [2], 2)
    context = StageContext("instruct", "", tmp_path, {}, none)
    with pytest.raises(UserError, match="stage instruct: 1 of 1 training clips have no caption"):
        captioned_clips("instruct", context)
