"""Text tokenizers: small ones trained on the captions, and the motion tokens added to any."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from motiongpt.backbones.motion_vocabulary import MotionVocabulary
from motiongpt.errors import UserError

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase, PreTrainedTokenizerFast

PAD, EOS, UNK = "<pad>", "</s>", "<unk>"
N_SENTINELS = 100  # as many as T5 has


def sentinel(index: int) -> str:
    """Written form of sentinel `index`, which stands for a masked span, as in T5."""
    return f"<extra_id_{index}>"


def train_text_tokenizer(
    texts: Iterable[str], vocabulary_size: int = 1536
) -> PreTrainedTokenizerFast:
    """Train a byte-level BPE on `texts`: any text survives encoding and decoding unchanged.

    Digits are tokens of their own, so that a count that was never seen is still composed of
    known pieces.

    Args:
        vocabulary_size: at most this many tokens, the 256 bytes and the special tokens included.

    Raises:
        UserError: there is no text to learn from, or the vocabulary can't hold the bytes.
    """
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    texts = [text for text in texts if text.strip()]
    if not texts:
        raise UserError("no text to train the text tokenizer on: pass captions and prompts")
    special = [PAD, EOS, UNK, *map(sentinel, range(N_SENTINELS))]
    smallest = len(special) + 256
    if vocabulary_size < smallest:
        raise UserError(
            f"vocabulary_size={vocabulary_size} is too small: special tokens and bytes alone need "
            f"{smallest}"
        )
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(False)]
    )
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary_size,
        special_tokens=special,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        pad_token=PAD,
        eos_token=EOS,
        unk_token=UNK,
        additional_special_tokens=special[3:],
        clean_up_tokenization_spaces=False,
    )


def add_motion_tokens(
    text_tokenizer: PreTrainedTokenizerBase, vocabulary: MotionVocabulary
) -> None:
    """Add the K + 3 motion tokens, each never split and without spaces of its own.

    A tokenizer that already holds exactly these is left as it is. One without an end of text gets
    one. One without a padding token (GPT-2) pads with its end of text, which the attention mask
    hides.

    Raises:
        UserError: it holds the motion tokens of a codebook of another size.
    """
    if text_tokenizer.eos_token is None:
        text_tokenizer.add_special_tokens({"eos_token": EOS})
    if text_tokenizer.pad_token is None:
        text_tokenizer.pad_token = text_tokenizer.eos_token
    if vocabulary.token(0) not in text_tokenizer.get_vocab():
        from tokenizers import AddedToken

        text_tokenizer.add_tokens(
            [AddedToken(token, normalized=False, special=True) for token in vocabulary.tokens],
            special_tokens=True,
        )
    vocabulary.token_ids(text_tokenizer)  # raises where the codebook is another


def train_with_motion_tokens(
    texts: Iterable[str], text_tokens: int, vocabulary: MotionVocabulary
) -> PreTrainedTokenizerFast:
    """A new text tokenizer of at most `text_tokens` tokens, and the motion tokens after them.

    Raises:
        UserError: see `train_text_tokenizer`.
    """
    text_tokenizer = train_text_tokenizer(texts, text_tokens)
    add_motion_tokens(text_tokenizer, vocabulary)
    return text_tokenizer
