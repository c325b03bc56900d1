"""The language side in the original's way: everything padded to 256 tokens, all rows projected.

Written anew after what MotionGPT's released code was seen to do; transformers does the arithmetic
on both sides.
"""

from collections.abc import Sequence

import torch
from torch import Tensor
from transformers import PreTrainedTokenizerBase, T5ForConditionalGeneration

MAX_LENGTH = 256  # tokens of every input and every target
PORTION = 4  # clips that go through at once; 16 need more than 24 GB
IGNORED = -100


def padded(
    text_tokenizer: PreTrainedTokenizerBase, texts: Sequence[str], device: torch.device
) -> tuple[Tensor, Tensor]:
    """Token ids and attention mask (B, 256) of texts, each closed by the end of text."""
    tokens = text_tokenizer(
        [text + str(text_tokenizer.eos_token) for text in texts],
        padding="max_length",
        max_length=MAX_LENGTH,
        truncation=True,
        return_attention_mask=True,
        return_tensors="pt",
    )
    return tokens["input_ids"].to(device), tokens["attention_mask"].to(device)


def losses(
    model: T5ForConditionalGeneration,
    text_tokenizer: PreTrainedTokenizerBase,
    inputs: Sequence[str],
    targets: Sequence[str],
) -> Tensor:
    """Loss of a portion of clips: logits of all rows at all 256 positions, padding ignored."""
    input_ids, mask = padded(text_tokenizer, inputs, model.device)
    labels, label_mask = padded(text_tokenizer, targets, model.device)
    labels[labels == text_tokenizer.pad_token_id] = IGNORED
    return model(
        input_ids=input_ids,
        attention_mask=mask,
        labels=labels,
        decoder_attention_mask=label_mask,
    ).loss


@torch.no_grad()
def generate(
    model: T5ForConditionalGeneration,
    text_tokenizer: PreTrainedTokenizerBase,
    prompts: Sequence[str],
    new_tokens: int,
) -> Tensor:
    """Sample exactly `new_tokens` tokens a prompt (B, new_tokens), any of the vocabulary."""
    input_ids, mask = padded(text_tokenizer, prompts, model.device)
    generated = model.generate(
        input_ids,
        attention_mask=mask,
        do_sample=True,
        num_beams=1,
        min_new_tokens=new_tokens,
        max_new_tokens=new_tokens,
    )
    return generated[:, 1:]  # the first is the decoder's start
