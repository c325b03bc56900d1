"""A checkpoint of the released size: imported, opened, and its numbers compared with transformers."""

import resource
import subprocess
import sys
import time

import numpy as np
import pytest
import torch
from omegaconf import OmegaConf
from transformers import T5Config, T5ForConditionalGeneration

from motiongpt.backbones.loading import load_backbone
from motiongpt.codecs.loading import load_codec
from motiongpt.codecs.vq_vae.network import VQVAE
from motiongpt.codecs.vq_vae.quantizers.ema_reset import EMAResetQuantizer
from motiongpt.published.folder import ModelFolder
from tests.unit.original_checkpoints import original_vq_vae, statistics, text_tokenizer

pytestmark = pytest.mark.slow
WORDS, K = 32100, 512
ROWS = WORDS + K + 3
FLAN_T5_BASE = {
    "d_model": 768, "d_kv": 64, "d_ff": 2048, "num_layers": 12, "num_heads": 12,
    "feed_forward_proj": "gated-gelu", "tie_word_embeddings": False,
}  # fmt: skip
MEMORY_GB = 6.0  # the model twice in float32, the interpreter and torch
# Weights of 0.05 would make attention all or nothing: float32 then misses float64 by 14 % of the scale.
SPREAD = 0.02


def released(path) -> tuple[T5ForConditionalGeneration, VQVAE]:
    """Write a checkpoint of that size; gives what is in it."""
    torch.manual_seed(0)
    model = T5ForConditionalGeneration(
        T5Config(vocab_size=ROWS, decoder_start_token_id=0, **FLAN_T5_BASE)
    )
    for name, weight in model.named_parameters():
        weight.data = torch.randn(weight.shape) * SPREAD + ("layer_norm" in name)
    model.tie_weights()
    network = VQVAE(263, EMAResetQuantizer)
    network.quantizer.codebook.normal_()
    named = model.state_dict().items()
    state = {f"lm.language_model.{name}": tensor for name, tensor in named}
    content = {"state_dict": {**original_vq_vae(network), **state}}
    torch.save({**content, "hyper_parameters": OmegaConf.create({"lm": {"width": 768}})}, path)
    return model.eval(), network.eval()


@pytest.mark.long
def test_the_released_size(tmp_path):
    model, network = released(tmp_path / "released.tar")
    words = [
        sys.executable, "-m", "launch.cli", "import-checkpoint", str(tmp_path / "released.tar"),
        str(tmp_path / "folder"), "--statistics", str(statistics(tmp_path / "meta")),
        "--text-tokenizer", text_tokenizer(tmp_path / "words", WORDS), "--codebook-size", str(K),
    ]  # fmt: skip
    started = time.monotonic()
    done = subprocess.run(words, capture_output=True, text=True)
    seconds = time.monotonic() - started
    assert done.returncode == 0, done.stderr
    memory = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 2**20
    size = (tmp_path / "released.tar").stat().st_size / 1e9
    print(f"{size:.2f} GB imported in {seconds:.0f} s, at most {memory:.1f} GB of memory")
    assert memory < MEMORY_GB
    assert "32,615 tokens of which 515 for motion" in done.stdout

    folder = ModelFolder.open(tmp_path / "folder")
    backbone = load_backbone(folder.part("language_model"))
    assert backbone.token_ids.codes == tuple(range(WORDS, WORDS + K))
    ids, labels = torch.randint(3, ROWS, (2, 20)), torch.randint(3, ROWS, (2, 12))
    mask = torch.ones_like(ids)
    with torch.no_grad():
        expected = model(input_ids=ids, attention_mask=mask, labels=labels).logits.flatten(0, 1)
        logits, _ = backbone.logits(backbone.collate_ids(ids.tolist(), labels.tolist()))
    scale = float(expected.abs().max())
    torch.testing.assert_close(logits / scale, expected / scale, rtol=0, atol=1e-5)
    tokenizer = load_codec(folder.part("codec")).network
    clip = torch.randn(2, 64, 263)
    codes = network.encode(clip)
    assert torch.equal(tokenizer.encode(clip), codes)
    assert np.array_equal(tokenizer.decode(codes).detach(), network.decode(codes).detach())
