"""Model folders: written whole or not at all, opened with clear complaints."""

import json

import numpy as np
import pytest

from motiongpt.errors import UserError
from motiongpt.motion.skeleton import KIT
from motiongpt.published.folder import CARD, DESCRIPTION, ModelFolder, write_model_folder
from tests.unit.tiny_models import CODES, tiny_backbone, tiny_tokenizer


def write(folder, tokenizer=None, backbone=None, **changes):
    described = {"name": "small", "fps": 20.0, "skeleton": "humanml3d", "source": {"run": "abc"}}
    write_model_folder(folder, tokenizer or tiny_tokenizer(), backbone, **{**described, **changes})


def test_what_was_written_is_read(tmp_path):
    folder, tokenizer = tmp_path / "small", tiny_tokenizer()
    write(folder, tokenizer, tiny_backbone())
    opened = ModelFolder.open(folder)
    assert (opened.name, opened.fps, opened.skeleton) == ("small", 20.0, "humanml3d")
    assert opened.parts == ("tokenizer", "language_model") and opened.source == {"run": "abc"}
    clip = np.random.default_rng(0).normal(0, 0.1, (40, 263)).astype(np.float32)
    assert opened.tokenizer().encode([clip])[0].tolist() == tokenizer.encode([clip])[0].tolist()
    assert opened.backbone().vocabulary.codebook_size == CODES
    assert "humanml3d" in (folder / CARD).read_text() and "abc" in (folder / CARD).read_text()
    assert sorted(one.name for one in tmp_path.iterdir()) == ["small"]


def test_a_tokenizer_alone(tmp_path):
    write(tmp_path / "alone")
    opened = ModelFolder.open(tmp_path / "alone")
    assert opened.parts == ("tokenizer",) and opened.tokenizer().n_features == 263
    with pytest.raises(UserError, match="tokenizer alone"):
        opened.backbone()


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


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"skeleton": "octopus"}, "unknown skeleton 'octopus'"),
        ({"skeleton": "kit"}, "263 features doesn't fit"),
        ({"fps": 0.0}, "fps 0"),
        ({"backbone": tiny_backbone(2 * CODES)}, "codebook of 32 codes, the tokenizer has 16"),
    ],
)
def test_parts_that_do_not_belong_together(tmp_path, changes, said):
    with pytest.raises(UserError, match=said):
        write(tmp_path / "model", **changes)
    assert not list(tmp_path.iterdir())


def test_kit_has_its_own_width(tmp_path):
    write(tmp_path / "kit", tiny_tokenizer(KIT), skeleton="kit", fps=12.5)
    assert ModelFolder.open(tmp_path / "kit").tokenizer().n_features == 251


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "not a model folder"),
        ("{", "not a model's description"),
        ("[]", "not a model's description"),
        ('{"format": 1}', "not a model's description: KeyError"),
        ('{"format": 9}', "format 9; this version reads format 1"),
        (
            json.dumps(
                {
                    "format": 1,
                    "name": "x",
                    "fps": 20,
                    "skeleton": "humanml3d",
                    "parts": ["language_model"],
                    "source": {},
                }
            ),
            "parts \\['language_model'\\]",
        ),
    ],
)
def test_what_is_no_model_folder_is_said_in_a_line(tmp_path, content, said):
    if content is not None:
        (tmp_path / DESCRIPTION).write_text(content)
    with pytest.raises(UserError, match=said) as caught:
        ModelFolder.open(tmp_path)
    assert "\n" not in str(caught.value)
