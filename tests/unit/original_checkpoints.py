"""Checkpoints with the released names, small and random, and the text tokenizer to read them."""

import collections
import re
from pathlib import Path

import numpy as np
import torch
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import (
    GPT2Config,
    GPT2LMHeadModel,
    PreTrainedTokenizerFast,
    T5Config,
    T5ForConditionalGeneration,
)

from motiongpt.codecs.vq_vae.network import VQVAE
from motiongpt.codecs.vq_vae.quantizers.ema_reset import EMAResetQuantizer
from motiongpt.codecs.vq_vae.quantizers.standard import StandardQuantizer

K = 16
WORDS = 140
FURTHER = {
    "metrics.TM2TMetrics.t2m_textencoder.hidden": torch.zeros(2, 1, 8),
    "_losses.losses_train.total": torch.tensor(0.0),
}


def original_name(ours: str, stages: int) -> str | None:
    """The released name of one of our VQ-VAE's weights; None for what was not released."""
    edges = {
        "encoder.input_convolution": "encoder.model.0",
        "encoder.output_convolution": f"encoder.model.{2 + stages}",
        "decoder.input_convolution": "decoder.model.0",
        "decoder.hidden_convolution": f"decoder.model.{2 + stages}",
        "decoder.output_convolution": f"decoder.model.{4 + stages}",
    }
    layer, _, kind = ours.rpartition(".")
    if layer in edges:
        return f"{edges[layer]}.{kind}"
    if layer == "quantizer":
        return ours if kind == "codebook" else None
    match = re.fullmatch(r"(encoder|decoder)\.stages\.(\d+)\.(.+)", layer)
    assert match, ours
    part, stage, inner = match[1], int(match[2]) + 2, match[3]
    inner = {"downsampling": "0", "convolution": "2"}.get(inner) or (
        inner.replace("residual.blocks", {"encoder": "1.model", "decoder": "0.model"}[part])
        .replace("dilated", "conv1")
        .replace("pointwise", "conv2")
    )
    return f"{part}.model.{stage}.{inner}.{kind}"


def original_vq_vae(network: VQVAE, prefix: str = "vae.") -> dict[str, torch.Tensor]:
    """The weights of a VQ-VAE of ours under the released names."""
    stages = network.frames_per_token.bit_length() - 1
    named = {original_name(name, stages): t for name, t in network.state_dict().items()}
    if isinstance(network.quantizer, StandardQuantizer):
        named["quantizer.embedding.weight"] = named.pop("quantizer.codebook")
    return {prefix + name: tensor.clone() for name, tensor in named.items() if name}


def vq_vae(codebook_size: int = K, n_features: int = 263, kind=EMAResetQuantizer) -> VQVAE:
    torch.manual_seed(1)
    network = VQVAE(n_features, kind, codebook_size=codebook_size, code_dim=8, width=8, depth=2)
    network.quantizer.codebook.data.normal_()
    return network.eval()


def t5(rows: int, **changes) -> T5ForConditionalGeneration:
    torch.manual_seed(2)
    sizes = {"d_model": 24, "d_kv": 8, "d_ff": 40, "num_heads": 4, "num_layers": 3}
    settings = {"num_decoder_layers": 2, "feed_forward_proj": "gated-gelu", **sizes, **changes}
    settings.setdefault("tie_word_embeddings", False)
    model = T5ForConditionalGeneration(
        T5Config(vocab_size=rows, **settings, decoder_start_token_id=0)
    )
    if not settings["tie_word_embeddings"]:  # transformers 5 ties all that it makes anew
        model.set_output_embeddings(torch.nn.Linear(settings["d_model"], rows, bias=False))
    return model.eval()


def gpt2(rows: int) -> GPT2LMHeadModel:
    torch.manual_seed(2)
    config = GPT2Config(vocab_size=rows, n_positions=560, n_embd=128, n_layer=2, n_head=2)
    return GPT2LMHeadModel(config).eval()


def text_tokenizer(folder: Path, words: int = WORDS) -> str:
    """A tokenizer of `words` words in a folder, as it would be fetched from the hub."""
    vocabulary = ["<pad>", "</s>", "<unk>", *(f"word{n}" for n in range(words - 3))]
    model = models.WordLevel({word: n for n, word in enumerate(vocabulary)}, unk_token="<unk>")
    inner = Tokenizer(model)
    inner.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=inner, pad_token="<pad>", eos_token="</s>", unk_token="<unk>"
    )
    tokenizer.save_pretrained(folder)
    return str(folder)


def state_of(network: VQVAE, language_model: torch.nn.Module | None = None):
    """A whole MotionGPT state_dict."""
    state = original_vq_vae(network)
    if language_model is not None:
        named = language_model.state_dict().items()
        state |= {f"lm.language_model.{name}": tensor.clone() for name, tensor in named}
    return collections.OrderedDict(state | FURTHER)


def statistics(folder: Path, n_features: int = 263, contacts: float = 0.018) -> Path:
    """mean.npy and std.npy as MotionGPT has them: float64, contacts divided by a small std."""
    folder.mkdir(parents=True, exist_ok=True)
    random = np.random.default_rng(0)
    std = random.uniform(0.05, 0.5, n_features)
    std[-4:] = contacts
    np.save(folder / "mean.npy", random.normal(size=n_features))
    np.save(folder / "std.npy", std)
    return folder
