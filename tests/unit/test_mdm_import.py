"""Released checkpoints of MDM become a denoiser that the method opens; random weights stand in."""

import numpy as np
import pytest
import torch

from launch.commands.import_checkpoint import next_command
from motiongpt.errors import UserError
from motiongpt.methods.mdm.folder import TrainedMotionDenoiser
from motiongpt.methods.mdm.original_names import TABLE
from motiongpt.published.import_checkpoint import import_checkpoint
from motiongpt.published.importers.base import ImportOptions
from tests.unit.mdm_parts import small_denoiser, some_texts
from tests.unit.original_checkpoints import statistics
from tests.unit.test_mdm_diffusion import released_state

KINDS = [
    {"heads": 4},
    {"heads": 4, "width": 24, "layers": 3, "feed_forward": 40, "text_width": 512},
    {"heads": 4, "kind": "decoder"},
    {"heads": 4, "kind": "decoder", "text_width": 768, "words": True},
]


def imported(tmp_path, content, meta=True):
    torch.save(content, tmp_path / "model000475000.pt")
    options = ImportOptions(statistics=statistics(tmp_path / "meta") if meta else None)
    said: list[str] = []
    folder = import_checkpoint(
        tmp_path / "model000475000.pt", tmp_path / "made", options, log=said.append
    )
    return folder, "\n".join(said)


@torch.no_grad()
@pytest.mark.parametrize("kind", KINDS, ids=str)
@pytest.mark.parametrize("averaged", [False, True])
def test_a_checkpoint_becomes_a_denoiser(tmp_path, kind, averaged):
    made = small_denoiser(**kind, frames=196, hide_padding=averaged)
    state = released_state(made)
    content = state | {"clip_model.logit_scale": torch.zeros(1)}
    if averaged:
        other = {name: tensor + 1 for name, tensor in state.items() if TABLE not in name}
        content = {"model": other, "model_avg": state}
    folder, said = imported(tmp_path, content)
    trained = TrainedMotionDenoiser.load(folder.part("denoiser"))
    noisy, steps = torch.randn(2, 9, 263), torch.tensor([0, 7])
    texts, lengths = some_texts(2, made.text_width), torch.tensor([9, 4])
    found = trained.network(noisy, steps, texts, lengths)
    assert torch.equal(found, made(noisy, steps, texts, lengths))
    assert (folder.method, list(folder.parts), folder.skeleton) == (
        "mdm",
        ["denoiser"],
        "humanml3d",
    )
    assert len(trained.schedule) == (50 if averaged else 1000)
    assert trained.network.hide_padding == averaged and trained.lengths.max() == 196
    assert "args.json" in said and "denoiser: " in said
    assert "experiment=published_mdm" in next_command(folder)


def test_kits_features_are_told_apart(tmp_path):
    state = released_state(small_denoiser(heads=4, n_features=251))
    torch.save(state, tmp_path / "kit.pt")
    np.save(tmp_path / "mean.npy", np.zeros(251, np.float32))
    np.save(tmp_path / "std.npy", np.ones(251, np.float32))
    options = ImportOptions(statistics=tmp_path)
    folder = import_checkpoint(tmp_path / "kit.pt", tmp_path / "made", options, log=str)
    assert (folder.skeleton, folder.fps) == ("kit", 12.5)
    assert TrainedMotionDenoiser.load(folder.part("denoiser")).lengths.min() == 24


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda state: state.pop("embed_text.bias"), "text_embedding.bias: expected shape"),
        (lambda state: state.update(more=torch.zeros(1)), "'more', which no part of MDM's"),
        (lambda state: state.pop("embed_text.weight"), "embed_text.weight: expected this weight"),
        (lambda state: state[TABLE].mul_(2), "expected sines and cosines"),
        (lambda state: state["embed_text.bias"].fill_(torch.nan), "NaN or infinity"),
    ],
)
def test_a_checkpoint_that_does_not_fit_is_refused(tmp_path, change, said):
    state = released_state(small_denoiser(heads=4))
    change(state)
    with pytest.raises(UserError, match=said):
        imported(tmp_path, state)
    assert not (tmp_path / "made").exists()


def test_without_statistics_it_is_said_where_they_are(tmp_path):
    with pytest.raises(UserError, match=r"--statistics FOLDER .* Mean.npy and Std.npy"):
        imported(tmp_path, released_state(small_denoiser(heads=4)), meta=False)
