"""Speech on the page, by faster-whisper itself on a random Whisper of a few thousand weights."""

import json
import wave

import numpy as np
import pytest
from transformers.models.gpt2.tokenization_gpt2 import bytes_to_unicode

from motiongpt.errors import UserError
from motiongpt.web.workshop import Workshop

SPECIAL = (
    *("<|endoftext|>", "<|startoftranscript|>", "<|en|>", "<|translate|>", "<|transcribe|>"),
    *("<|startoflm|>", "<|startofprev|>", "<|nospeech|>", "<|notimestamps|>"),
)
TIMESTAMPS = 1501  # of 0.02 s, as every Whisper has them
RATE = 16000


@pytest.fixture(scope="module")
def whisper(tmp_path_factory):
    """A folder in faster-whisper's format, converted from one in transformers'."""
    reason = "no faster-whisper: pip install '.[speech]'"
    pytest.importorskip("faster_whisper", reason=reason)
    converters = pytest.importorskip("ctranslate2.converters", reason=reason)
    source, made = (tmp_path_factory.mktemp(name) for name in ("transformers", "ctranslate2"))
    _write_whisper(source)
    copied = ["tokenizer.json", "preprocessor_config.json"]
    converters.TransformersConverter(str(source), copy_files=copied).convert(str(made), force=True)
    return made


def _write_whisper(folder):
    import torch
    from transformers import (
        GenerationConfig,
        WhisperConfig,
        WhisperFeatureExtractor,
        WhisperForConditionalGeneration,
        WhisperTokenizerFast,
    )

    tokens = [*bytes_to_unicode().values(), *SPECIAL]
    (folder / "vocab.json").write_text(json.dumps({one: at for at, one in enumerate(tokens)}))
    (folder / "merges.txt").write_text("#version: 0.2\n")
    files = {"vocab_file": folder / "vocab.json", "merges_file": folder / "merges.txt"}
    tokenizer = WhisperTokenizerFast(**{name: str(file) for name, file in files.items()})
    tokenizer.add_special_tokens({"additional_special_tokens": list(SPECIAL)})
    tokenizer.save_pretrained(folder)
    WhisperFeatureExtractor(feature_size=80).save_pretrained(folder)
    ids = dict(zip(SPECIAL, tokenizer.convert_tokens_to_ids(SPECIAL), strict=True))
    size = {"d_model": 16, "encoder_ffn_dim": 16, "decoder_ffn_dim": 16}
    layers = {"encoder_layers": 1, "decoder_layers": 1}
    heads = {"encoder_attention_heads": 2, "decoder_attention_heads": 2}
    ends = dict.fromkeys(("bos_token_id", "eos_token_id", "pad_token_id"), ids["<|endoftext|>"])
    start = {"decoder_start_token_id": ids["<|startoftranscript|>"]}
    torch.manual_seed(0)
    model = WhisperForConditionalGeneration(
        WhisperConfig(
            vocab_size=len(tokenizer) + TIMESTAMPS, **size, **layers, **heads, **ends, **start
        )
    )
    model.generation_config = GenerationConfig(
        **ends,
        **start,
        lang_to_id={"<|en|>": ids["<|en|>"]},
        suppress_tokens=[],
        begin_suppress_tokens=[ids["<|endoftext|>"]],
        alignment_heads=[[0, 0]],
    )
    model.save_pretrained(folder)


@pytest.fixture
def recording(tmp_path):
    """Three seconds of a tone that swells, as the browser sends it."""
    seconds = np.arange(3 * RATE) / RATE
    sound = 12000 * np.sin(2 * np.pi * (200 + 100 * seconds) * seconds) * seconds / 3
    with wave.open(str(tmp_path / "said.wav"), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(sound.astype("<i2").tobytes())
    return tmp_path / "said.wav"


def test_a_recording_becomes_words(whisper, recording):
    words = Workshop([], whisper=whisper).words_of(recording)
    assert words and words == words.strip() and "<|" not in words


def test_a_folder_without_its_tokenizer_downloads_nothing(whisper, tmp_path):
    (tmp_path / "model.bin").write_bytes((whisper / "model.bin").read_bytes())
    with pytest.raises(UserError, match="tokenizer.json"):
        Workshop([], whisper=tmp_path)


def test_a_file_that_is_no_recording_is_said_in_one_line(whisper, tmp_path):
    (tmp_path / "said.wav").write_bytes(b"no sound")
    with pytest.raises(UserError, match="said.wav"):
        Workshop([], whisper=whisper).words_of(tmp_path / "said.wav")
