"""Text models of one or two layers with random weights, saved as published ones are."""

from pathlib import Path

import torch
from tokenizers import processors
from transformers import (
    BertConfig,
    BertModel,
    CLIPConfig,
    CLIPModel,
    CLIPTextConfig,
    CLIPTextModel,
    CLIPTextModelWithProjection,
    PreTrainedTokenizerFast,
    T5Config,
    T5EncoderModel,
    T5ForConditionalGeneration,
)

from motiongpt.backbones.text_tokenizer import train_text_tokenizer

TEXTS = ("a person walks forward", "someone waves with the left hand", "a man sits down slowly")
PROJECTION, WIDTH = 12, 16


def save_tokenizer(folder: Path, start: str = "<unk>", marks: bool = True):
    """Bytes and a few words between a start and an end."""
    tokenizer = train_text_tokenizer(TEXTS, 400)
    backend: PreTrainedTokenizerFast = tokenizer.backend_tokenizer
    if marks:
        ids = [(word, tokenizer.convert_tokens_to_ids(word)) for word in (start, "</s>")]
        backend.post_processor = processors.TemplateProcessing(
            single=f"{start} $A </s>", special_tokens=ids
        )
    tokenizer.save_pretrained(folder)
    return tokenizer


def seeded(make, config):
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return make(config)


def clip_text_config(tokenizer) -> CLIPTextConfig:
    return CLIPTextConfig(
        vocab_size=len(tokenizer),
        hidden_size=WIDTH,
        intermediate_size=32,
        projection_dim=PROJECTION,
        num_hidden_layers=2,
        num_attention_heads=2,
        max_position_embeddings=77,
        bos_token_id=tokenizer.unk_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )


def save_clip(folder: Path, projected: bool = True) -> Path:
    """The text half alone, with its projection or without."""
    make = CLIPTextModelWithProjection if projected else CLIPTextModel
    seeded(make, clip_text_config(save_tokenizer(folder))).save_pretrained(folder)
    return folder


def save_whole_clip(folder: Path) -> Path:
    """Text and pictures, as CLIP is published."""
    text = clip_text_config(save_tokenizer(folder)).to_dict()
    vision = {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 1}
    vision |= {"num_attention_heads": 2, "image_size": 8, "patch_size": 4}
    config = CLIPConfig(text_config=text, vision_config=vision, projection_dim=PROJECTION)
    seeded(CLIPModel, config).save_pretrained(folder)
    return folder


def save_t5(folder: Path, whole: bool = True) -> Path:
    """With its decoder, as T5 is published, or without."""
    tokenizer = save_tokenizer(folder)
    config = T5Config(
        vocab_size=len(tokenizer),
        d_model=WIDTH,
        d_kv=8,
        d_ff=32,
        num_layers=1,
        num_heads=2,
        pad_token_id=tokenizer.pad_token_id,
        eos_token_id=tokenizer.eos_token_id,
        decoder_start_token_id=tokenizer.pad_token_id,
    )
    make = T5ForConditionalGeneration if whole else T5EncoderModel
    seeded(make, config).save_pretrained(folder)
    return folder


def save_bert(folder: Path, marks: bool = True) -> Path:
    """A sentence encoder without the pooling layer, which many leave out."""
    tokenizer = save_tokenizer(folder, marks=marks)
    config = BertConfig(
        vocab_size=len(tokenizer),
        hidden_size=WIDTH,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=32,
        max_position_embeddings=32,
        pad_token_id=tokenizer.pad_token_id,
    )
    seeded(lambda c: BertModel(c, add_pooling_layer=False), config).save_pretrained(folder)
    return folder
