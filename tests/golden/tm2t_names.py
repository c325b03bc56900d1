"""Weights of TM2T's released networks under our names. Nobody imports them; the checks do.

encoder.layer_stack.I, decoder.layer_stack.I      encoder.I, decoder.I
slf_attn, enc_attn, pos_ffn                       attention, cross, feed_forward
w_qs, w_ks, w_vs, fc, layer_norm                  query, key, value, output, norm
….positional_encoding                             none: sines and cosines
"""

import re
from collections.abc import Mapping

from torch import Tensor

BLOCKS = {
    "slf_attn": "attention",
    "enc_attn": "cross",
    "pos_ffn": "feed_forward",
}
PARTS = {
    "w_qs": "query",
    "w_ks": "key",
    "w_vs": "value",
    "fc": "output",
    "layer_norm": "norm",
    "w_1": "inner",
    "w_2": "outer",
}
EMBEDDINGS = {
    "encoder.src_word_emb": "source_embedding",
    "encoder.emb": "source_embedding",
    "decoder.trg_word_emb": "target_embedding",
    "trg_word_prj": "output",
}
RECURRENT = {
    "text_encoder.hidden": "words.initial",
    "text_encoder.input_emb": "words.embedding",
    "text_encoder.gru": "words.gru",
    "motion_decoder_step.input_emb": "embedding",
    "motion_decoder_step.z2init": "start",
    "motion_decoder_step.gru": "cells",
    "motion_decoder_step.att_layer.W_q": "query",
    "motion_decoder_step.att_layer.W_k": "key",
    "motion_decoder_step.att_layer.W_v": "value",
    "motion_decoder_step.att_linear": "joined",
}
BLOCK = re.compile(r"(encoder|decoder)\.layer_stack\.(\d+)\.(\w+)\.(\w+)\.(weight|bias)")
TABLE, TIED = "positional_encoding", "motion_decoder_step.trg_word_prj.weight"


def translator_name(released: str) -> str:
    """Our name of a weight of a transformer."""
    if at := BLOCK.fullmatch(released):
        side, number, block, part, kind = at.groups()
        return f"{side}.{number}.{BLOCKS[block]}.{PARTS[part]}.{kind}"
    name, _, kind = released.rpartition(".")
    return f"{EMBEDDINGS[name]}.{kind}"


def recurrent_name(released: str) -> str:
    """Our name of a weight of the recurrent networks."""
    if released == "text_encoder.hidden":
        return RECURRENT[released]
    theirs = next(one for one in RECURRENT if released.startswith(f"{one}."))
    return RECURRENT[theirs] + released.removeprefix(theirs)


def translator_state(released: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Our state_dict of a `Translator`."""
    return {translator_name(n): t for n, t in released.items() if not n.endswith(TABLE)}


def recurrent_state(released: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Our state_dict of a `WordsToCodes`; the output is the table of codes."""
    return {recurrent_name(n): t for n, t in released.items() if n != TIED}
