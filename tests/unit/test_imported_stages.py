"""Stages that take the weights of a model folder: what they leave, and what they refuse."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch

from motiongpt.backbones.loading import load_backbone
from motiongpt.backbones.t5 import T5Backbone
from motiongpt.codecs.trained import TrainedTokenizer
from motiongpt.data.store import MotionStore
from motiongpt.errors import UserError
from motiongpt.methods.base import MotionFormat
from motiongpt.methods.motiongpt.tasks.clip_tokens import WHOLE
from motiongpt.methods.motiongpt.token_store import TokenStore
from motiongpt.methods.motiongpt.training.tokens_stage import TOKENS, TokensStage
from motiongpt.motion.skeleton import HUMANML3D, KIT
from motiongpt.published.folder import write_model_folder
from motiongpt.published.stages import ImportedPartStage
from motiongpt.training.stage import MODEL, StageContext
from tests.end_to_end.stages import small_store
from tests.unit.original_checkpoints import K, vq_vae

STORE = SimpleNamespace(name="data", skeleton=HUMANML3D, fps=20.0)


def tokenizer(codes: int = K) -> TrainedTokenizer:
    random = np.random.default_rng(3)  # another mean and std than any data has
    return TrainedTokenizer(
        vq_vae(codes), random.normal(size=263) * 0.3, random.uniform(0.1, 1, 263)
    )


@pytest.fixture
def folder(tmp_path):
    torch.manual_seed(0)
    backbone = T5Backbone.scratch(
        K, ["a person walks"], width=16, feed_forward_width=16, encoder_layers=1,
        decoder_layers=1, heads=2, text_tokens=400,
    )  # fmt: skip
    folder = tmp_path / "weights"
    write_folder(folder, codec=tokenizer().save, language_model=backbone.save)
    return folder


def write_folder(folder, **parts):
    write_model_folder(
        folder, parts, method="motiongpt", name="small", format=MotionFormat(20.0, HUMANML3D),
        source={},
    )  # fmt: skip


def codec_stage(folder, codes=K, rate=4):
    expected = {
        "codebook_size": [codes, "tokenizer.codebook_size"],
        "frames_per_token": [rate, "downsampling"],
    }
    return ImportedPartStage(folder and str(folder), "codec", expected)


def context(tmp_path, stage="tokenizer", store=STORE, **parents) -> StageContext:
    place = tmp_path / stage
    place.mkdir(exist_ok=True)
    return StageContext(stage, "", place, parents, store, log=str)


def test_both_stages_leave_the_parts_of_the_folder(folder, tmp_path):
    first = context(tmp_path)
    codec_stage(folder).run(first)
    second = context(tmp_path, "instruct", tokenizer=first.folder)
    found = ImportedPartStage(str(folder), "language_model").run(second)
    mine = TrainedTokenizer.load(first.folder / MODEL)
    assert np.array_equal(mine.mean, tokenizer().mean) and np.array_equal(mine.std, tokenizer().std)
    backbone = load_backbone(second.folder / MODEL, K)
    assert found["weights_mb"] > 0 and backbone.vocabulary.codebook_size == K


@pytest.mark.parametrize(
    ("store", "said"),
    [
        (SimpleNamespace(name="d", skeleton=HUMANML3D, fps=30.0), "for 20 frames per second, data=d has 30"),
        (SimpleNamespace(name="d", skeleton=KIT, fps=20.0), "skeleton humanml3d, data=d has kit"),
    ],
)  # fmt: skip
def test_motion_of_another_kind_is_refused(store, said, folder, tmp_path):
    for stage in (
        codec_stage(folder),
        ImportedPartStage(str(folder), "language_model"),
    ):
        with pytest.raises(UserError, match=said):
            stage.run(context(tmp_path, store=store))


def test_other_sizes_than_configured_are_refused(folder, tmp_path):
    with pytest.raises(UserError, match=r"run with tokenizer.codebook_size=16"):
        codec_stage(folder, 512).run(context(tmp_path))
    with pytest.raises(UserError, match=r"run with downsampling=4"):
        codec_stage(folder, rate=2).run(context(tmp_path))


def test_no_folder_and_a_tokenizer_alone_are_said(tmp_path):
    with pytest.raises(UserError, match="set published.folder=FOLDER"):
        codec_stage(None).run(context(tmp_path))
    alone = tmp_path / "alone"
    write_folder(alone, codec=tokenizer().save)
    with pytest.raises(UserError, match="without language_model; it has codec"):
        ImportedPartStage(str(alone), "language_model").run(context(tmp_path, "instruct"))


def test_clips_are_coded_with_the_statistics_of_the_weights(folder, tmp_path):
    small_store(tmp_path / "store", validation=2)
    store = MotionStore.open(tmp_path / "store")
    first = context(tmp_path, store=store)
    codec_stage(folder).run(first)
    second = context(tmp_path, "tokens", store, tokenizer=first.folder)
    TokensStage({}).run(second)
    own = tokenizer()
    assert not np.allclose(own.mean, store.mean, atol=0.01)
    for index in (0, 5):
        normalised = torch.from_numpy((store.features(index) - own.mean) / own.std)
        expected = own.tokenizer.encode(normalised[None])[0].numpy()
        found = TokenStore.open(second.folder / TOKENS).clip(index)[WHOLE]
        assert np.array_equal(found, expected)
