"""The picture of what a codec keeps, for whoever waits for the rest of an experiment."""

import numpy as np
import pytest
from PIL import Image

from evaluation.reconstruct_stage import PREVIEW, ReconstructStage
from motiongpt.data.build import build_store
from motiongpt.data.clip import Caption, Clip
from motiongpt.training.stage import StageContext
from tests.unit.fake_source import FakeSource, rest_pose
from tests.unit.mld_parts import small_codec


@pytest.fixture
def context(tmp_path):
    draw = np.random.default_rng(0).normal(0, 0.01, (2, 31, 22, 3))
    clips = [
        Clip(
            f"c{i}",
            split,
            (Caption("a person stands"),),
            (rest_pose() + draw[i]).astype(np.float32),
        )
        for i, split in enumerate(("train", "test"))
    ]
    store = build_store(FakeSource(clips), tmp_path / "store", progress=False)
    small_codec().save(tmp_path / "codec" / "model")
    (tmp_path / "run").mkdir()
    said = []
    made = StageContext(
        stage="reconstruct",
        signature="s1",
        folder=tmp_path / "run",
        parents={"codec": tmp_path / "codec"},
        store=store,
        log=said.append,
    )
    return made, said


def run(context, **settings):
    stage = ReconstructStage("codec", "test", None, multiple=1, seed=0, **settings)
    return stage.run(context)


def test_a_clip_moves_beside_its_reconstruction(context):
    made, said = context
    run(made, preview=True)
    picture = Image.open(made.folder / PREVIEW)
    assert picture.n_frames > 1 and picture.width == 2 * picture.height
    assert said == ["  a clip, and what its codes keep of it: runs/reconstruct/s1/preview.webp"]


def test_nothing_is_drawn_unasked(context):
    made, said = context
    run(made)
    assert not (made.folder / PREVIEW).exists() and not said
