"""Model folders: written whole or not at all, opened with clear complaints."""

import json

import numpy as np
import pytest

import motiongpt
from motiongpt.backbones.loading import load_backbone
from motiongpt.codecs.loading import load_codec
from motiongpt.errors import UserError
from motiongpt.methods.base import MotionFormat
from motiongpt.motion.skeleton import HUMANML3D, KIT
from motiongpt.published.card import model_card
from motiongpt.published.folder import CARD, DESCRIPTION, ModelFolder, write_model_folder
from tests.unit.tiny_models import CODES, tiny_backbone, tiny_tokenizer

FORMAT = MotionFormat(20.0, HUMANML3D)


def write(folder, tokenizer=None, backbone=None, format=FORMAT, **changes):
    parts = {"codec": (tokenizer or tiny_tokenizer()).save}
    if backbone is not None:
        parts["language_model"] = backbone.save
    described = {"method": "motiongpt", "name": "small", "source": {"run": "abc"}}
    write_model_folder(folder, parts, format=format, card=model_card, **{**described, **changes})


def test_what_was_written_is_read(tmp_path):
    folder, tokenizer = tmp_path / "small", tiny_tokenizer()
    write(folder, tokenizer, tiny_backbone())
    opened = ModelFolder.open(folder)
    assert (opened.method, opened.name, opened.fps) == ("motiongpt", "small", 20.0)
    assert (opened.skeleton, opened.source) == ("humanml3d", {"run": "abc"})
    assert list(opened.parts) == ["codec", "language_model"]
    clip = np.random.default_rng(0).normal(0, 0.1, (40, 263)).astype(np.float32)
    read = load_codec(opened.part("codec"))
    assert read.encode([clip])[0].tolist() == tokenizer.encode([clip])[0].tolist()
    assert load_backbone(opened.part("language_model")).vocabulary.codebook_size == CODES
    assert "humanml3d" in (folder / CARD).read_text() and "abc" in (folder / CARD).read_text()
    assert sorted(one.name for one in tmp_path.iterdir()) == ["small"]


def test_the_first_format_is_read_too(tmp_path):
    write(tmp_path / "old", tiny_tokenizer(), tiny_backbone())
    path = tmp_path / "old" / DESCRIPTION
    content = json.loads(path.read_text())
    del content["method"]
    path.write_text(json.dumps({**content, "format": 1, "parts": ["tokenizer", "language_model"]}))
    (tmp_path / "old" / "codec").rename(tmp_path / "old" / "tokenizer")
    opened = ModelFolder.open(tmp_path / "old")
    assert opened.method == "motiongpt" and load_codec(opened.part("codec")).n_features == 263


def test_a_codec_alone(tmp_path):
    write(tmp_path / "alone")
    opened = ModelFolder.open(tmp_path / "alone")
    assert list(opened.parts) == ["codec"]
    with pytest.raises(UserError, match="method motiongpt without language_model; it has codec"):
        opened.part("language_model")


def test_a_folder_that_lost_its_weights_says_so(tmp_path):
    write(tmp_path / "model")
    for file in (tmp_path / "model" / "codec").iterdir():
        file.unlink()
    with pytest.raises(UserError, match="codec: no weights here"):
        ModelFolder.open(tmp_path / "model").part("codec")


def test_an_older_model_is_replaced_and_nothing_else_is(tmp_path):
    folder = tmp_path / "model"
    write(folder, name="old")
    write(folder, name="new")
    assert ModelFolder.open(folder).name == "new"
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "chapter.tex").write_text("years of work")
    with pytest.raises(UserError, match="other things than a model"):
        write(tmp_path / "thesis")
    assert (tmp_path / "thesis" / "chapter.tex").read_text() == "years of work"


def test_a_failure_leaves_what_was_there(tmp_path):
    folder = tmp_path / "model"
    write(folder, name="old")
    with pytest.raises(TypeError):
        write(folder, name="new", source={"path": object()})
    assert ModelFolder.open(folder).name == "old"
    assert [one.name for one in tmp_path.iterdir()] == ["model"]


def test_a_frame_rate_of_nothing_is_refused(tmp_path):
    with pytest.raises(UserError, match="fps 0"):
        write(tmp_path / "model", format=MotionFormat(0.0, HUMANML3D))
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"format": MotionFormat(12.5, KIT)}, "263"),
        ({"backbone": tiny_backbone(2 * CODES)}, "32.*16"),
    ],
)
def test_parts_that_do_not_belong_together_are_refused_on_opening(tmp_path, changes, said):
    write(tmp_path / "model", **{"backbone": tiny_backbone(), **changes})
    with pytest.raises(UserError, match=said) as caught:
        motiongpt.load(tmp_path / "model")
    assert "\n" not in str(caught.value)


WHOLE = {
    "format": 2, "name": "x", "fps": 20, "skeleton": "humanml3d", "parts": ["codec"], "source": {},
}  # fmt: skip


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "not a model folder"),
        ("{", "not a model's description"),
        ("[]", "not a model's description"),
        ('{"format": 2}', "not a model's description: KeyError"),
        ('{"format": 9}', "format 9; this version reads format 2"),
        (
            json.dumps({**WHOLE, "skeleton": "octopus"}),
            f"{DESCRIPTION}: unknown skeleton 'octopus'",
        ),
        (json.dumps({**WHOLE, "fps": -1}), "fps -1"),
    ],
)
def test_what_is_no_model_folder_is_said_in_a_line(tmp_path, content, said):
    if content is not None:
        (tmp_path / DESCRIPTION).write_text(content)
    with pytest.raises(UserError, match=said) as caught:
        ModelFolder.open(tmp_path)
    assert "\n" not in str(caught.value)
