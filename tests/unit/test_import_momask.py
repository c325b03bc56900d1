"""Released checkpoints of MoMask become parts that the method opens; weights are random."""

import pytest
import torch

from launch.commands.import_checkpoint import next_command
from motiongpt.codecs.loading import load_codec
from motiongpt.codecs.residual_vq.network import ResidualVQVAE
from motiongpt.errors import UserError
from motiongpt.methods.momask.folder import load_network
from motiongpt.methods.momask.length import LengthEstimator
from motiongpt.methods.momask.masked import MaskedTransformer
from motiongpt.methods.momask.residual import ResidualTransformer
from motiongpt.published.import_checkpoint import import_checkpoint
from motiongpt.published.importers.base import ImportOptions
from tests.unit.momask_parts import small_length, small_network
from tests.unit.original_checkpoints import original_name, statistics

EDGES = {
    "token_projection": "input_process.poseEmbedding",
    "text_projection": "cond_emb",
    "codebook_projection": "quant_emb",
    "head": "output_process.dense",
    "head_norm": "output_process.LayerNorm",
    "output": "output_process.poseFinal",
    "token_embedding": "token_emb",
}
TABLES = {
    True: {
        "shared_tables": "embed_proj_shared_weight",
        "embedding_tables": "token_embed_weight_",
        "output_tables": "output_proj_weight_",
    },
    False: {
        "embedding_tables": "token_embed_weight",
        "output_tables": "output_proj_weight",
        "output_bias": "output_proj_bias",
    },
}
SIZES = {"code_dim": 6, "width": 64, "feed_forward": 8, "layers": 2, "heads": 1}


def imported(tmp_path, content, **options):
    torch.save(content, tmp_path / "released.tar")
    said = []
    folder = import_checkpoint(
        tmp_path / "released.tar", tmp_path / "made", ImportOptions(**options), log=said.append
    )
    return folder, "\n".join(said)


def released(network):
    """A transformer's weights as they were released."""
    tables = TABLES[getattr(network, "share_weights", True)]
    state = {}
    for name, tensor in network.state_dict().items():
        layer, _, kind = name.rpartition(".")
        if name in tables:
            if name == "output_bias":
                tensor = torch.cat((tensor, torch.zeros_like(tensor[:1])))
            state[tables[name]] = tensor
        elif name.startswith("blocks."):
            state[name.replace("blocks.", "seqTransEncoder.layers.", 1)] = tensor
        else:
            state[f"{EDGES[layer]}.{kind}"] = tensor
    state["position_enc.pe"] = network.positions[:, None]
    return state


@torch.no_grad()
@pytest.mark.parametrize("key", ["vq_model", "net"])
def test_a_residual_vq_vae(tmp_path, key):
    network = small_network().eval()
    state = {
        (original_name(name, 2) if "quantizer" not in name else name): tensor
        for name, tensor in network.state_dict().items()
        if "quantizer" not in name or name.endswith("codebook")
    }
    content = {key: state, "ep": 3, "total_it": 7, "opt_vq_model": {"state": {}}}
    folder, said = imported(tmp_path, content, statistics=statistics(tmp_path / "meta"))
    assert (folder.method, list(folder.parts)) == ("momask", ["codec"])
    codec = load_codec(folder.part("codec"))
    assert isinstance(codec.network, ResidualVQVAE) and "3 codebooks" in said
    features = torch.randn(2, 32, 263)
    assert torch.equal(codec.network.encode(features), network.encode(features))
    assert "experiment=published_momask" in next_command(folder)
    options = {"codebook_size": 99, "statistics": tmp_path / "meta"}
    (tmp_path / "more").mkdir()
    with pytest.raises(UserError, match="expected a codebook of 99 codes, found 12"):
        imported(tmp_path / "more", content, **options)


@torch.no_grad()
@pytest.mark.parametrize("key", ["t2m_transformer", "trans"])
def test_a_masked_transformer(tmp_path, key):
    torch.manual_seed(0)
    network = MaskedTransformer(9, 5, **SIZES).eval()
    state = released(network) | {"clip_model.logit_scale": torch.zeros(())}
    folder, said = imported(tmp_path, {key: state, "ep": 1})
    assert (folder.method, list(folder.parts)) == ("momask", ["masked"])
    opened = load_network(MaskedTransformer, folder.part("masked"))
    inputs = torch.randint(9, (2, 7)), torch.randn(2, 5), torch.zeros(2, 7, dtype=torch.bool)
    assert torch.equal(opened(*inputs), network(*inputs))
    assert "doesn't tell" in said and "not imported: 1 entries of clip_model" in said


@torch.no_grad()
@pytest.mark.parametrize("shared", [True, False])
def test_a_residual_transformer(tmp_path, shared):
    torch.manual_seed(0)
    settings = {"share_weights": shared, "doubled": not shared}
    network = ResidualTransformer(4, 9, 5, **SIZES, **settings).eval()
    folder, _ = imported(tmp_path, {"res_transformer": released(network)})
    assert list(folder.parts) == ["residual"]
    opened = load_network(ResidualTransformer, folder.part("residual"))
    assert opened.arguments() == network.arguments()
    codes, which = torch.randint(9, (2, 7, 4)), torch.tensor([1, 3])
    padding, text = torch.zeros(2, 7, dtype=torch.bool), torch.randn(2, 5)
    found, wanted = (
        one(one.history(codes, which), which, text, padding) for one in (opened, network)
    )
    assert torch.equal(found, wanted)


@torch.no_grad()
def test_a_length_estimator(tmp_path):
    network = small_length()
    state = {
        name.replace("layers.", "output.", 1): tensor
        for name, tensor in network.state_dict().items()
    }
    folder, _ = imported(tmp_path, {"estimator": state, "epoch": 1, "niter": 2})
    opened = load_network(LengthEstimator, folder.part("length"))
    text = torch.randn(3, 8)
    assert torch.equal(opened(text), network(text))


def test_what_does_not_fit_is_named(tmp_path):
    state = released(MaskedTransformer(9, 5, **SIZES))
    with pytest.raises(UserError, match="which no part of MoMask's released transformers is"):
        imported(tmp_path, {"trans": state | {"wings": torch.zeros(1)}})
    del state["cond_emb.bias"]
    with pytest.raises(UserError, match="text_projection.bias: expected shape"):
        imported(tmp_path, {"trans": state})
    state = released(MaskedTransformer(9, 5, **SIZES))
    state["position_enc.pe"] = torch.zeros(10, 1, 64)
    with pytest.raises(UserError, match="expected sines and cosines"):
        imported(tmp_path, {"trans": state})
