import json
import textwrap

import pytest
import torch
from transformers import AutoTokenizer, BertModel, CLIPTextModelWithProjection, T5EncoderModel

from motiongpt import text_encoders
from motiongpt.errors import UserError
from motiongpt.text_encoders.base import DESCRIPTION
from motiongpt.text_encoders.clip import CLIPTextEncoder
from motiongpt.text_encoders.loading import load_text_encoder
from motiongpt.text_encoders.sentence import SentenceTextEncoder
from motiongpt.text_encoders.small import train_small
from motiongpt.text_encoders.t5 import T5TextEncoder
from tests.unit.tiny_text_models import (
    PROJECTION,
    TEXTS,
    WIDTH,
    save_bert,
    save_clip,
    save_t5,
    save_whole_clip,
)

SENTENCES = [*TEXTS, "", "a person walks forward and then someone waves", "x", "Zürich 走る 3.5"]
QUICK = {
    "width": 16,
    "layers": 1,
    "heads": 2,
    "feed_forward_width": 32,
    "dropout": 0.1,
    "text_tokens": 400,
    "max_tokens": 32,
    "steps": 3,
    "batch_size": 4,
    "learning_rate": 1e-3,
    "temperature": 0.1,
    "words": 1.0,
    "word_dropout": 0.1,
}


def quiet(line):
    pass


def make_small(folder):
    return train_small([[text, text + "."] for text in TEXTS], 0, quiet, **QUICK)


MAKERS = {
    "clip": lambda folder: CLIPTextEncoder.pretrained(source=str(save_clip(folder)), log=quiet),
    "t5": lambda folder: T5TextEncoder.pretrained(source=str(save_t5(folder)), log=quiet),
    "sentence": lambda folder: SentenceTextEncoder.pretrained(
        source=str(save_bert(folder)), log=quiet
    ),
    "small": make_small,
}


@pytest.fixture(scope="module", params=list(MAKERS))
def encoder(request, tmp_path_factory):
    return MAKERS[request.param](tmp_path_factory.mktemp(request.param) / "source")


def close(one, other):
    torch.testing.assert_close(one, other, atol=2e-6, rtol=1e-5)


def test_features_are_float32_of_one_width_and_finite(encoder):
    features = encoder.encode(SENTENCES)
    assert features.shape == (len(SENTENCES), encoder.width) and features.dtype == torch.float32
    assert torch.isfinite(features).all()
    assert encoder.encode([]).shape == (0, encoder.width)
    assert torch.pdist(features).min() > 1e-4


def test_neither_the_batch_nor_the_order_matters(encoder, monkeypatch):
    together = encoder.encode(SENTENCES)
    close(torch.cat([encoder.encode([text]) for text in SENTENCES]), together)
    close(encoder.encode(SENTENCES[::-1]).flip(0), together)
    monkeypatch.setattr(type(encoder), "batch_size", 2)
    close(encoder.encode(SENTENCES), together)


def test_tokens_come_with_a_mask_and_are_zero_behind_it(encoder):
    features, mask = encoder.encode_tokens(SENTENCES)
    assert features.shape == (*mask.shape, encoder.width) and mask.dtype == torch.bool
    assert mask[:, 0].all() and not mask[SENTENCES.index("")].all()
    assert not features[~mask].any() and features[mask].any(-1).all()
    alone, _ = encoder.encode_tokens([""])
    close(alone[0], features[SENTENCES.index("")][: alone.shape[1]])
    assert encoder.encode_tokens([])[0].shape == (0, 0, encoder.width)


def test_a_very_long_sentence_is_cut(encoder):
    long = "a person walks forward " * 100
    assert torch.isfinite(encoder.encode([long])).all()
    assert encoder.encode_tokens([long])[1].shape[1] <= encoder.max_tokens


def test_it_stays_frozen_inside_a_module_that_learns(encoder):
    before = encoder.encode(SENTENCES)
    outer = torch.nn.ModuleList([encoder, torch.nn.Linear(encoder.width, 1)])
    outer.train()
    assert outer[1].training and not any(module.training for module in encoder.modules())
    assert not any(weight.requires_grad for weight in encoder.parameters())
    with torch.autocast("cpu", dtype=torch.bfloat16):
        features = encoder.encode(SENTENCES)
    assert not features.requires_grad and torch.equal(features, before)
    outer[1](features).sum().backward()  # refused where inference mode made the features
    assert outer[1].weight.grad is not None


def test_saved_and_loaded_it_gives_the_same(encoder, tmp_path):
    encoder.save(tmp_path / "model")
    loaded = load_text_encoder(tmp_path / "model")
    assert type(loaded) is type(encoder) and loaded.width == encoder.width
    assert torch.equal(loaded.encode(SENTENCES), encoder.encode(SENTENCES))
    assert loaded.settings() == encoder.settings()
    assert not list(tmp_path.rglob("*.bin")) and list(tmp_path.rglob("*.safetensors"))


def test_a_damaged_folder_gives_one_line(encoder, tmp_path):
    with pytest.raises(UserError, match="no text encoder here.*goal=text_encoder"):
        load_text_encoder(tmp_path / "nowhere")
    encoder.save(tmp_path)
    (weights,) = tmp_path.rglob("*.safetensors")
    weights.write_bytes(b"damaged")
    with pytest.raises(UserError, match="can't be read: run its stage again") as caught:
        load_text_encoder(tmp_path)
    assert "\n" not in str(caught.value)
    (tmp_path / DESCRIPTION).write_text('{"class": "Path"}')
    with pytest.raises(UserError, match="no class 'Path'.*CLIPTextEncoder.*T5TextEncoder"):
        load_text_encoder(tmp_path)
    (tmp_path / DESCRIPTION).write_text("[")
    with pytest.raises(UserError, match="can't be read"):
        load_text_encoder(tmp_path)


def tokens_of(folder, texts, **how):
    tokenizer = AutoTokenizer.from_pretrained(folder)
    return tokenizer(list(texts), return_tensors="pt", return_token_type_ids=False, **how)


def test_clip_gives_what_transformers_calls_text_embeds(tmp_path):
    folder = save_clip(tmp_path)
    encoder = CLIPTextEncoder.pretrained(source=str(folder), log=quiet)
    model = CLIPTextModelWithProjection.from_pretrained(folder).eval()
    with torch.no_grad():
        wanted = model(**tokens_of(folder, TEXTS, padding="max_length", max_length=77)).text_embeds
    close(encoder.encode(TEXTS), wanted)
    assert encoder.width == PROJECTION
    assert (wanted.norm(dim=-1) - 1).abs().min() > 1e-3  # so: not normalised
    assert encoder.tokens(["a"])["input_ids"].shape == (1, 77)


def test_clip_padded_to_the_longest_gives_the_same(tmp_path):
    source = str(save_clip(tmp_path))
    encoder = CLIPTextEncoder.pretrained(source=source, log=quiet)
    shorter = CLIPTextEncoder.pretrained(source=source, log=quiet, padding="longest")
    assert shorter.tokens(TEXTS)["input_ids"].shape[1] < 77
    close(shorter.encode(SENTENCES), encoder.encode(SENTENCES))
    close(shorter.encode_tokens(SENTENCES)[0], encoder.encode_tokens(SENTENCES)[0])
    with pytest.raises(UserError, match="padding=short: no such way; valid: max_length, longest"):
        CLIPTextEncoder.pretrained(source=source, log=quiet, padding="short")


def test_clip_is_read_from_a_whole_model_too(tmp_path):
    encoder = CLIPTextEncoder.pretrained(source=str(save_whole_clip(tmp_path)), log=quiet)
    assert encoder.encode(TEXTS).shape == (3, PROJECTION)


def test_t5_is_the_mean_of_its_encoder_states(tmp_path):
    folder = save_t5(tmp_path / "whole")
    encoder = T5TextEncoder.pretrained(source=str(folder), log=quiet)
    model = T5EncoderModel.from_pretrained(folder).eval()
    with torch.no_grad():
        wanted = model(**tokens_of(folder, TEXTS[:1])).last_hidden_state.mean(1)
    close(encoder.encode(TEXTS)[:1], wanted)
    assert not any("decoder" in name for name, _ in encoder.named_parameters())
    alone = T5TextEncoder.pretrained(source=str(save_t5(tmp_path / "alone", False)), log=quiet)
    assert alone.width == WIDTH


def test_sentences_are_the_mean_of_states_of_length_one_or_not(tmp_path):
    folder = save_bert(tmp_path)
    plain = SentenceTextEncoder.pretrained(source=str(folder), log=quiet, normalise=False)
    unit = SentenceTextEncoder.pretrained(source=str(folder), log=quiet)
    model = BertModel.from_pretrained(folder, add_pooling_layer=False).eval()
    with torch.no_grad():
        wanted = model(**tokens_of(folder, TEXTS[:1])).last_hidden_state.mean(1)
    close(plain.encode(TEXTS)[:1], wanted)
    close(unit.encode(TEXTS), torch.nn.functional.normalize(plain.encode(TEXTS), dim=-1))
    assert plain.max_tokens == 32  # the positions that the model has, of the 384 asked for


def one_line(caught):
    return "\n" not in str(caught.value) and len(str(caught.value)) < 600


@pytest.mark.parametrize("kind", [CLIPTextEncoder, T5TextEncoder, SentenceTextEncoder])
def test_a_source_that_cannot_be_had_gives_one_line(kind, tmp_path):
    (tmp_path / "empty").mkdir()
    for source in (tmp_path / "nowhere", tmp_path / "empty"):
        with pytest.raises(UserError, match=r"source=.* can't be loaded.*text_encoder=small") as e:
            kind.pretrained(source=str(source), log=quiet)
        assert one_line(e)


def test_a_source_of_another_kind_is_named(tmp_path):
    clip, t5 = str(save_whole_clip(tmp_path / "clip")), str(save_t5(tmp_path / "t5"))
    with pytest.raises(UserError, match="is a t5 model, not clip or clip_text_model"):
        CLIPTextEncoder.pretrained(source=t5, log=quiet)
    with pytest.raises(UserError, match="is a clip model, not t5"):
        T5TextEncoder.pretrained(source=clip, log=quiet)
    for source in (t5, clip):
        with pytest.raises(UserError, match="no encoder of text alone: take text_encoder=t5 or"):
            SentenceTextEncoder.pretrained(source=source, log=quiet)


def test_a_folder_without_a_tokenizer_gives_one_line(tmp_path):
    for kind, save in ((CLIPTextEncoder, save_clip), (T5TextEncoder, save_t5)):
        folder = save(tmp_path / kind.__name__)
        for file in folder.glob("*token*"):
            file.unlink()
        with pytest.raises(UserError, match=r"source=.* can't be loaded") as e:
            kind.pretrained(source=str(folder), log=quiet)
        assert one_line(e)


def test_weights_that_would_be_random_are_refused(tmp_path):
    with pytest.raises(UserError, match=r"lacks 1 weights, text_projection.weight among them"):
        CLIPTextEncoder.pretrained(source=str(save_clip(tmp_path, False)), log=quiet)


def test_a_tokenizer_that_leaves_nothing_of_an_empty_sentence_is_refused(tmp_path):
    with pytest.raises(UserError, match="no mark that an empty sentence consists of"):
        SentenceTextEncoder.pretrained(source=str(save_bert(tmp_path, False)), log=quiet)
    source = str(save_bert(tmp_path / "good"))
    with pytest.raises(UserError, match="max_tokens=2 leaves no room for a word"):
        SentenceTextEncoder.pretrained(source=source, log=quiet, max_tokens=2)


def test_a_new_encoder_needs_a_new_file_only(tmp_path, monkeypatch):
    (tmp_path / "letters.py").write_text(
        textwrap.dedent('''
        """Counts letters."""
        import torch
        from motiongpt.text_encoders.base import TextEncoder

        class LettersTextEncoder(TextEncoder):
            width = 2

            def __init__(self):
                super().__init__()
                self.scale = torch.nn.Parameter(torch.ones(()))

            def read(self, texts):
                mask = torch.tensor([[k <= len(t) for k in range(99)] for t in texts])
                return mask[..., None].expand(-1, -1, 2) * self.scale, mask

            def settings(self):
                return {"like": "this"}

            def save_parts(self, folder):
                pass

            @classmethod
            def load(cls, folder, settings):
                assert settings == {"like": "this"}
                return cls()
        ''')
    )
    folder = tmp_path / "saved"
    folder.mkdir()
    (folder / DESCRIPTION).write_text(json.dumps({"class": "LettersTextEncoder", "like": "this"}))
    with pytest.raises(UserError, match="no class 'LettersTextEncoder'"):
        load_text_encoder(folder)
    monkeypatch.setattr(text_encoders, "__path__", [*text_encoders.__path__, str(tmp_path)])
    loaded = load_text_encoder(folder)
    assert loaded.encode(["ab", ""]).tolist() == [[1.0, 1.0], [1.0, 1.0]]
    loaded.save(tmp_path / "again")
    assert type(load_text_encoder(tmp_path / "again")) is type(loaded)
