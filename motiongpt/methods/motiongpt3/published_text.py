"""GPT-2's published weights as the text branch of MotionGPT3's language model (section 3.2)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from motiongpt.backbones.pretrained import read_published
from motiongpt.errors import UserError
from motiongpt.pretrained_source import check_source

if TYPE_CHECKING:
    from torch import Tensor
    from transformers import PretrainedConfig, PreTrainedTokenizerBase

    from motiongpt.methods.motiongpt3.language import TwoBranchLanguageModel

OPTION = "motion_language.source"
INSTEAD = "take motion_language.source=null, which begins with random weights"
KIND = "gpt2"
# GPT-2's name of a part of a block -> ours. Its linear layers are stored as (in, out).
OF_A_BLOCK = {
    "ln_1": "attention_norm",
    "attn.c_attn": "queries_keys_values",
    "attn.c_proj": "attention_output",
    "ln_2": "feed_forward_norm",
    "mlp.c_fc": "feed_forward.0",
    "mlp.c_proj": "feed_forward.2",
}
TRANSPOSED = ("attn.c_attn.weight", "attn.c_proj.weight", "mlp.c_fc.weight", "mlp.c_proj.weight")


class PublishedText(NamedTuple):
    """A GPT-2: sizes for `TwoBranchLanguageModel`, weights of its text branch, its tokenizer."""

    sizes: dict[str, int]
    weights: dict[str, Tensor]
    text_tokenizer: PreTrainedTokenizerBase


def check_text(source: str) -> None:
    """Refuse what `read_text` would not find.

    Raises:
        UserError: it can't be had, or is no GPT-2.
    """
    _check_kind(source, check_source(OPTION, source, INSTEAD) or KIND)


def read_text(source: str) -> PublishedText:
    """The GPT-2 of `source`, a name on the Hugging Face hub or a folder.

    Raises:
        UserError: it can't be had, is no GPT-2, or lacks weights or the mark of an end.
    """

    def check(found: PretrainedConfig) -> None:
        _check_kind(source, found.model_type)

    model, text_tokenizer = read_published(source, "GPT2LMHeadModel", check, INSTEAD, OPTION)
    if text_tokenizer.eos_token_id is None:
        raise UserError(f"{OPTION}={source}: its tokenizer has no mark of the end of a text")
    config: Any = model.config
    sizes = {
        "width": int(config.n_embd),
        "layers": int(config.n_layer),
        "heads": int(config.n_head),
        "positions": int(config.n_positions),
    }
    state = model.base_model.state_dict()
    weights = {
        "token_embedding.weight": state["wte.weight"][: len(text_tokenizer)],
        "position_embedding.weight": state["wpe.weight"],
        "norms.0.weight": state["ln_f.weight"],
        "norms.0.bias": state["ln_f.bias"],
    }
    for block in range(sizes["layers"]):
        for theirs, ours in OF_A_BLOCK.items():
            for kind in ("weight", "bias"):
                found = state[f"h.{block}.{theirs}.{kind}"]
                turned = found.t() if f"{theirs}.{kind}" in TRANSPOSED else found
                weights[f"blocks.{block}.text.{ours}.{kind}"] = turned
    return PublishedText(sizes, weights, text_tokenizer)


def fill_text_branch(model: TwoBranchLanguageModel, weights: dict[str, Tensor]) -> None:
    """Copy what `read_text` found into the text branch, all of which it covers."""
    branch = dict(model.text_branch())
    assert branch.keys() == weights.keys(), branch.keys() ^ weights.keys()
    for name, one in branch.items():
        one.data.copy_(weights[name])


def _check_kind(source: str, found: str) -> None:
    if found != KIND:
        raise UserError(
            f"{OPTION}={source} is a {found} model; the blocks of MotionGPT3 are GPT-2's: name a "
            f"GPT-2, or {INSTEAD}"
        )
