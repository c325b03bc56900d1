"""Released checkpoints of other methods than MotionGPT become parts that their method opens."""

import numpy as np
import pytest
import torch

from launch.commands.import_checkpoint import next_command
from motiongpt.codecs.loading import load_codec
from motiongpt.codecs.mld_vae.network import MLDVAE
from motiongpt.data.store import MotionStore
from motiongpt.errors import UserError
from motiongpt.methods.mld.denoiser import LatentDenoiser
from motiongpt.methods.mld.folder import TrainedDenoiser
from motiongpt.methods.t2m_gpt.folder import load_transformer
from motiongpt.methods.t2m_gpt.network import CodeTransformer
from motiongpt.methods.t2m_gpt.original_names import original_state_dict
from motiongpt.published.import_checkpoint import import_checkpoint
from motiongpt.published.importers.base import ImportOptions
from tests.end_to_end.stages import small_store
from tests.shared import shared
from tests.unit.original_checkpoints import statistics


def imported(tmp_path, content, **options):
    torch.save(content, tmp_path / "released.ckpt")
    said = []
    options = ImportOptions(**options)
    folder = import_checkpoint(
        tmp_path / "released.ckpt", tmp_path / "made", options, log=said.append
    )
    return folder, "\n".join(said)


def transformer():
    torch.manual_seed(0)
    return CodeTransformer(8, 6, block_size=9, width=64, blocks=1, heads=1).eval()


@torch.no_grad()
def test_a_transformer_of_t2m_gpt(tmp_path):
    made = transformer()
    folder, said = imported(tmp_path, {"trans": original_state_dict(made)})
    assert "8 codes, 2 blocks" in said and "the checkpoint doesn't tell" in said
    assert (folder.method, list(folder.parts), folder.skeleton) == (
        "t2m_gpt", ["transformer"], "humanml3d",
    )  # fmt: skip
    text, codes = torch.randn(2, 6), torch.randint(8, (2, 5))
    assert torch.equal(load_transformer(folder.part("transformer"))(text, codes), made(text, codes))
    assert "experiment=published_t2m_gpt" in next_command(folder)


def test_a_store_tells_whose_motions_the_codes_are(tmp_path):
    small_store(tmp_path / "store", validation=2)
    store = MotionStore.open(tmp_path / "store")
    folder, said = imported(
        tmp_path, {"trans": original_state_dict(transformer())}, store=store.folder
    )
    assert folder.fps == store.fps and "doesn't tell" not in said


def test_another_codebook_than_expected_is_refused(tmp_path):
    with pytest.raises(UserError, match="expected a codebook of 512 codes, found 8"):
        imported(tmp_path, {"trans": original_state_dict(transformer())}, codebook_size=512)


def mld_weights():
    with np.load(shared("parity/methods/mld/weights.npz")) as stored:
        return {name: torch.from_numpy(stored[name]) for name in stored}


@torch.no_grad()
def test_a_checkpoint_of_mld(tmp_path):
    weights = mld_weights()
    found = {263: "humanml3d", 251: "kit"}.get(weights["vae.skel_embedding.weight"].shape[1])
    if found is None:
        with pytest.raises(UserError, match="skel_embedding.weight: expected 263"):
            imported(tmp_path, {"state_dict": weights})
        pytest.skip("the handed weights are of no data set's width")
    further = {"t2m_textencoder.hidden": torch.zeros(1)}
    folder, said = imported(
        tmp_path, {"state_dict": weights | further}, statistics=statistics(tmp_path / "meta")
    )
    assert (folder.method, set(folder.parts)) == ("mld", {"codec", "denoiser"})
    codec = load_codec(folder.part("codec"))
    assert isinstance(codec.network, MLDVAE)
    token = codec.network.state_dict()["distribution_tokens"]
    assert torch.equal(token, weights["vae.global_motion_token"])
    denoiser = TrainedDenoiser.load(folder.part("denoiser"))
    assert isinstance(denoiser.network, LatentDenoiser) and denoiser.lengths.max() == 196
    assert "denoiser: " in said and "experiment=published_mld" in next_command(folder)


def test_the_first_stage_of_mld_alone_is_a_codec(tmp_path):
    torch.manual_seed(0)
    weights = mld_weights()
    alone = {name: tensor for name, tensor in weights.items() if name.startswith("vae.")}
    if alone["vae.skel_embedding.weight"].shape[1] != 263:
        pytest.skip("the handed weights are of no data set's width")
    folder, _ = imported(tmp_path, {"state_dict": alone}, statistics=statistics(tmp_path / "meta"))
    assert list(folder.parts) == ["codec"]
