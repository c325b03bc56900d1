"""The language model and the sentences of the benchmark: sizes as published, content random."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import PreTrainedTokenizerFast, T5Config, T5ForConditionalGeneration

from motiongpt.backbones.motion_vocabulary import MotionVocabulary
from motiongpt.backbones.t5 import T5Backbone
from motiongpt.backbones.text_tokenizer import EOS, PAD, UNK, add_motion_tokens
from tests.benchmarks.speed.part import Settings

PROMPT = ("generate", "motion", ":")
# A clip of HumanML3D has 10 to 49 tokens of 4 frames, many of them the most.
CODES = (10, 49)
SHARE_OF_LONGEST = 0.5
CAPTION_WORDS = (11.7, 3.5, 5, 19)  # mean, deviation, fewest, most


@dataclass(frozen=True)
class LanguageSize:
    """A T5: widths and layers (as many in the decoder), and the rows of its embeddings."""

    width: int
    feed_forward: int
    layers: int
    heads: int
    head_width: int
    text_tokens: int
    codebook: int
    clips: int = 16
    captions: int = 32
    new_tokens: int = 128

    @property
    def rows(self) -> int:
        """Tokens of the vocabulary."""
        return self.text_tokens + self.codebook + 3

    def text(self) -> str:
        """The model in a few words."""
        layers = f"{self.layers} + {self.layers} layers"
        return f"T5, width {self.width}, {layers}, {self.rows:,} rows"


# small and base are flan-t5's, with its 32,100 text tokens and the paper's 512 codes.
LANGUAGE_SIZES = {
    "tiny": LanguageSize(32, 64, 2, 2, 16, 600, 16, clips=4, captions=3, new_tokens=12),
    "small": LanguageSize(512, 1024, 8, 6, 64, 32100, 512),
    "base": LanguageSize(768, 2048, 12, 12, 64, 32100, 512),
    # what learns something in some hundred steps; no size of the command
    "curve": LanguageSize(128, 256, 2, 4, 32, 200, 64, clips=8),
}


@dataclass(frozen=True)
class Pair:
    """A prompt and the motion that is to follow."""

    input: str
    target: str

    def lengths(self) -> tuple[int, int]:
        """Tokens of input and target, the end of text included; words are tokens."""
        return len(self.input.split()) + 1, self.target.count("<") + 1


def config_of(size: LanguageSize, dropout: float) -> T5Config:
    """flan-T5's architecture: gated GELU, output embedding of its own."""
    return T5Config(
        vocab_size=size.rows,
        d_model=size.width,
        d_kv=size.head_width,
        d_ff=size.feed_forward,
        num_layers=size.layers,
        num_decoder_layers=size.layers,
        num_heads=size.heads,
        feed_forward_proj="gated-gelu",
        dropout_rate=dropout,
        tie_word_embeddings=False,
        decoder_start_token_id=0,
    )


def random_model(
    settings: Settings,
) -> tuple[T5ForConditionalGeneration, PreTrainedTokenizerFast]:
    """transformers' model as it is, random weights from torch's global random state.

    With its text tokenizer, to which a word is one token.
    """
    size = LANGUAGE_SIZES[settings.size]
    text_tokenizer = word_tokenizer(size.text_tokens)
    add_motion_tokens(text_tokenizer, MotionVocabulary(size.codebook))
    model: Any = T5ForConditionalGeneration(config_of(size, settings.dropout))
    return model.to(settings.device), text_tokenizer


def random_backbone(settings: Settings) -> T5Backbone:
    """The same model and text tokenizer, as our backbone."""
    model, text_tokenizer = random_model(settings)
    vocabulary = MotionVocabulary(LANGUAGE_SIZES[settings.size].codebook)
    return T5Backbone(model, text_tokenizer, vocabulary)


def word_tokenizer(tokens: int) -> PreTrainedTokenizerFast:
    """One token a word: T5's special tokens, the prompt's words, and made-up ones."""
    words = [PAD, EOS, UNK, *PROMPT]
    words += [f"word{number}" for number in range(tokens - len(words))]
    tokenizer = Tokenizer(
        models.WordLevel({word: index for index, word in enumerate(words)}, unk_token=UNK)
    )
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, pad_token=PAD, eos_token=EOS, unk_token=UNK
    )


def pairs(settings: Settings) -> list[Pair]:
    """Prompts with captions, and motions of the lengths that HumanML3D has."""
    size = LANGUAGE_SIZES[settings.size]
    rng = np.random.default_rng(settings.seed)
    vocabulary = MotionVocabulary(size.codebook)
    made = []
    for index, prompt in enumerate(_prompts(size, size.clips, rng)):
        longest = index < SHARE_OF_LONGEST * size.clips
        length = CODES[1] if longest else int(rng.integers(*CODES))
        codes = rng.integers(0, size.codebook, length)
        made.append(Pair(prompt, vocabulary.write(codes)))
    return [made[index] for index in rng.permutation(len(made))]


def prompts(settings: Settings) -> list[str]:
    """Prompts with captions to generate motions for."""
    size = LANGUAGE_SIZES[settings.size]
    return _prompts(size, size.captions, np.random.default_rng(settings.seed))


def _prompts(size: LanguageSize, count: int, rng: np.random.Generator) -> list[str]:
    mean, deviation, fewest, most = CAPTION_WORDS
    known = size.text_tokens - len(PROMPT) - 3
    lengths = rng.normal(mean, deviation, count).round().clip(fewest, most).astype(int)
    return [
        " ".join([*PROMPT, *(f"word{number}" for number in rng.integers(0, known, length))])
        for length in lengths
    ]
