"""Tiny random models: what is tested is the machinery, not the quality."""

import json
import logging
from dataclasses import dataclass

import pytest
import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import AutoTokenizer, T5TokenizerFast

from motiongpt.backbones import base
from motiongpt.backbones.base import IGNORED, Backbone
from motiongpt.backbones.gpt2 import GPT2Backbone
from motiongpt.backbones.initialisation import resize_vocabulary
from motiongpt.backbones.loading import load_backbone
from motiongpt.backbones.motion_vocabulary import MotionVocabulary
from motiongpt.backbones.t5 import T5Backbone
from motiongpt.backbones.text_tokenizer import add_motion_tokens, train_text_tokenizer
from motiongpt.errors import UserError
from motiongpt.methods.motiongpt.generation.decoding import Decoding
from motiongpt.methods.motiongpt.generation.generate import generate

TEXTS = [
    f"a person walks {way} and then waves {count} times with the left hand"
    for way in ("forward", "backward", "in a circle")
    for count in range(12)
]
K = 16
SIZES: dict[type[Backbone], dict[str, int]] = {
    T5Backbone: {"width": 32, "feed_forward_width": 64, "encoder_layers": 1, "decoder_layers": 1},
    GPT2Backbone: {"width": 32, "layers": 1, "positions": 128},
}
LIMITS = {"max_input_tokens": 48, "max_target_tokens": 48}


@dataclass(frozen=True)
class Pair:
    input: str
    target: str


def scratch(kind: type[Backbone], codebook_size: int = K, **options: object) -> Backbone:
    torch.manual_seed(0)
    settings = {"text_tokens": 420, "heads": 2, **SIZES[kind], **LIMITS, **options}
    return kind.scratch(codebook_size, TEXTS, **settings).eval()


@pytest.fixture(scope="module", params=[T5Backbone, GPT2Backbone], ids=["t5", "gpt2"])
def backbone(request: pytest.FixtureRequest) -> Backbone:
    return scratch(request.param)


@pytest.fixture(scope="module")
def pairs() -> list[Pair]:
    write = MotionVocabulary(K).write
    return [
        Pair("show: a person walks", write([1, 2, 3])),
        Pair("what is " + write([4]) + "?", "a person waves with the left hand"),
    ]


def test_text_tokenizer_gives_any_text_back_unchanged() -> None:
    tokenizer = train_text_tokenizer(TEXTS, 420)
    vocabulary = MotionVocabulary(K)
    add_motion_tokens(tokenizer, vocabulary)
    for text in (
        "a person walks forward and then waves 37 times",
        "  two  blanks, a tab\tand Größe: 100 %! ",
        "so:" + vocabulary.write([0, 15]) + " done " + vocabulary.write([3]) + "<extra_id_7>.",
    ):
        ids = tokenizer(text, add_special_tokens=False)["input_ids"]
        assert tokenizer.decode(ids, skip_special_tokens=False) == text
    ids = tokenizer(vocabulary.write([0, 15]), add_special_tokens=False)["input_ids"]
    assert ids == vocabulary.token_ids(tokenizer)[[16, 0, 15, 17]].tolist()


def test_text_tokenizer_is_the_same_each_time_and_keeps_to_its_size() -> None:
    first, second = train_text_tokenizer(TEXTS, 420), train_text_tokenizer(TEXTS, 420)
    assert first.get_vocab() == second.get_vocab()
    assert len(first) <= 420
    assert "walks" in "".join(first.get_vocab())
    with pytest.raises(UserError, match="no text"):
        train_text_tokenizer(["", " "])
    with pytest.raises(UserError, match="too small"):
        train_text_tokenizer(TEXTS, 100)


def test_tokenizer_with_motion_tokens_of_another_codebook_is_refused() -> None:
    tokenizer = train_text_tokenizer(TEXTS, 420)
    add_motion_tokens(tokenizer, MotionVocabulary(K))
    size = len(tokenizer)
    add_motion_tokens(tokenizer, MotionVocabulary(K))
    assert len(tokenizer) == size
    for other in (K - 3, 2 * K):
        with pytest.raises(UserError, match="motion tokens"):
            add_motion_tokens(tokenizer, MotionVocabulary(other))


def test_published_kind_of_t5_tokenizer_gets_motion_tokens_without_blanks(tmp_path) -> None:
    unigram = Tokenizer(models.Unigram())
    unigram.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Metaspace()]
    )
    unigram.decoder = decoders.Metaspace()
    special = ["<pad>", "</s>", "<unk>"]
    trainer = trainers.UnigramTrainer(vocab_size=60, special_tokens=special, unk_token="<unk>")
    unigram.train_from_iterator(TEXTS, trainer)
    T5TokenizerFast(tokenizer_object=unigram).save_pretrained(tmp_path)
    tokenizer = AutoTokenizer.from_pretrained(tmp_path)
    vocabulary = MotionVocabulary(K)
    add_motion_tokens(tokenizer, vocabulary)
    text = "a person" + vocabulary.write([1, 15]) + " walks"
    ids = tokenizer(text, add_special_tokens=False)["input_ids"]
    assert tokenizer.decode(ids, clean_up_tokenization_spaces=False) == text
    motion = vocabulary.token_ids(tokenizer)[[16, 1, 15, 17]].tolist()
    assert [i for i in ids if i in motion] == motion


def test_batch_is_padded_to_its_longest_row_only(backbone: Backbone, pairs: list[Pair]) -> None:
    batch = backbone.collate(pairs)
    inputs = backbone.encode_inputs([pair.input for pair in pairs])
    targets = backbone.encode_targets([pair.target for pair in pairs])
    shown = [[*i, *t] for i, t in zip(inputs, targets, strict=True)]
    rows = shown if isinstance(backbone, GPT2Backbone) else inputs
    assert batch["input_ids"].shape[1] == max(map(len, rows))
    assert batch["attention_mask"].sum(dim=1).tolist() == list(map(len, rows))
    for labels, target in zip(batch["labels"], targets, strict=True):
        assert labels[labels != IGNORED].tolist() == target
        assert target[-1] == backbone.text_tokenizer.eos_token_id


def test_loss_is_that_of_the_rows_alone(backbone: Backbone, pairs: list[Pair]) -> None:
    counts = [(backbone.collate([pair])["labels"] != IGNORED).sum() for pair in pairs]
    alone = sum(
        backbone.loss(backbone.collate([pair])) * n for pair, n in zip(pairs, counts, strict=True)
    )
    torch.testing.assert_close(backbone.loss(backbone.collate(pairs)), alone / sum(counts))


def test_loss_is_transformers_own(backbone: Backbone, pairs: list[Pair]) -> None:
    batch = backbone.collate(pairs)
    known = {name: batch[name] for name in ("input_ids", "attention_mask", "labels")}
    torch.testing.assert_close(backbone.loss(batch), backbone.language_model(**known).loss)


def test_loss_in_portions_is_the_loss(monkeypatch, pairs: list[Pair]) -> None:
    for kind in (T5Backbone, GPT2Backbone):
        model = scratch(kind, label_smoothing=0.1)
        batch = model.collate(pairs)
        model.loss(batch).backward()
        loss = model.loss(batch).item()
        expected = {name: value.grad.clone() for name, value in model.named_parameters()}
        model.zero_grad()
        rows = len(model.language_model.get_output_embeddings().weight)
        monkeypatch.setattr(base, "LOGITS_AT_ONCE", 2 * rows + 1)
        portions = model.loss(batch)
        assert portions.item() == pytest.approx(loss, rel=1e-6)
        portions.backward()
        found = {name: value.grad for name, value in model.named_parameters()}
        torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-6)
        monkeypatch.undo()


def test_label_smoothing_changes_the_loss(pairs: list[Pair]) -> None:
    plain, smooth = scratch(T5Backbone), scratch(T5Backbone, label_smoothing=0.3)
    assert plain.loss(plain.collate(pairs)) != smooth.loss(smooth.collate(pairs))


def test_gpt2_labels_of_the_released_code_hold_prompt_and_padding(pairs: list[Pair]) -> None:
    batch = scratch(GPT2Backbone, labels="all").collate(pairs)
    assert torch.equal(batch["labels"], batch["input_ids"])
    assert (batch["attention_mask"] == 0).any()
    with pytest.raises(UserError, match="target, all"):
        scratch(GPT2Backbone, labels="some")


def test_too_long_rows_are_cut_and_counted(
    backbone: Backbone, caplog: pytest.LogCaptureFixture
) -> None:
    before = backbone.input_truncation.count
    with caplog.at_level(logging.WARNING):
        (row,) = backbone.encode_inputs([" ".join(TEXTS)])
        (target,) = backbone.encode_targets([" ".join(TEXTS)])
    assert len(row) == len(target) == 48
    closing = backbone.encode_inputs([""])[0]
    assert row[-len(closing) :] == closing
    assert target[-1] != backbone.text_tokenizer.eos_token_id
    assert backbone.input_truncation.count == before + 1
    assert "max_input_tokens" in caplog.text


DECODINGS = {
    "sampling": Decoding("sampling", max_text_tokens=6),
    "greedy": Decoding("greedy", max_text_tokens=6),
    "beams": Decoding("beams", num_beams=3, max_text_tokens=6),
}
FREE = 7  # motion tokens, at most, of a motion of free length


@pytest.mark.parametrize("strategy", DECODINGS)
def test_rows_of_both_kinds_are_generated_in_one_call(backbone: Backbone, strategy: str) -> None:
    prompts = ["show a person", "what is this?", "walk", "w", "a person walks forward and then"]
    kinds = ["motion", "text", "motion", "motion", "text"]
    longest_piece = max(map(len, backbone.text_tokenizer.get_vocab()))
    counts = [None, None, 3, 9, None]
    outputs = generate(
        backbone, prompts, kinds, DECODINGS[strategy], counts, seed=5, max_motion_tokens=FREE
    )
    for text, kind in zip(outputs, kinds, strict=True):
        if kind == "text":
            assert "<motion_id" not in text
            assert "<extra_id" not in text
            assert len(text) <= 6 * longest_piece
        else:
            codes = backbone.vocabulary.read(text)
            assert text == backbone.vocabulary.write(codes)
            assert 1 <= len(codes) <= 9
    assert len(backbone.vocabulary.read(outputs[0])) <= FREE
    assert [len(backbone.vocabulary.read(outputs[i])) for i in (2, 3)] == [3, 9]


@pytest.mark.parametrize("strategy", ["greedy", "beams"])
def test_a_row_does_not_depend_on_the_others(backbone: Backbone, strategy: str) -> None:
    prompts = [TEXTS[0], "w", "a person waves with the left hand", "turn"]
    kinds = ["motion", "motion", "text", "text"]
    counts = [5, None, None, None]
    decoding = DECODINGS[strategy]
    together = generate(backbone, prompts, kinds, decoding, counts, max_motion_tokens=FREE)
    alone = [
        generate(backbone, [p], k, decoding, [c], max_motion_tokens=FREE)[0]
        for p, k, c in zip(prompts, kinds, counts, strict=True)
    ]
    assert together == alone


def test_seed_repeats_and_leaves_the_global_stream_alone(backbone: Backbone) -> None:
    prompts = TEXTS[:3]
    torch.manual_seed(7)
    expected = torch.rand(3)
    torch.manual_seed(7)
    first = generate(backbone, prompts, "motion", DECODINGS["sampling"], [9] * 3, seed=1)
    assert torch.equal(torch.rand(3), expected)
    assert first == generate(backbone, prompts, "motion", DECODINGS["sampling"], [9] * 3, seed=1)
    assert first != generate(backbone, prompts, "motion", DECODINGS["sampling"], [9] * 3, seed=2)
    torch.manual_seed(7)
    generate(backbone, prompts, "motion", DECODINGS["sampling"], [9] * 3)
    assert not torch.equal(torch.rand(3), expected)


def test_more_rows_than_a_batch_and_none(backbone: Backbone) -> None:
    small, whole = Decoding("greedy", batch_size=2), Decoding("greedy")
    assert generate(backbone, TEXTS[:5], "motion", small, max_motion_tokens=4) == generate(
        backbone, TEXTS[:5], "motion", whole, max_motion_tokens=4
    )
    assert generate(backbone, [], "motion", whole) == []
    with pytest.raises(UserError, match="one of each"):
        generate(backbone, TEXTS[:2], "motion", whole, [1])


def test_generation_leaves_the_training_mode_as_it_was(backbone: Backbone) -> None:
    backbone.train()
    generate(backbone, ["walk"], "motion", Decoding("greedy"), max_motion_tokens=2)
    assert backbone.language_model.training
    backbone.eval()
    generate(backbone, ["walk"], "motion", Decoding("greedy"), max_motion_tokens=2)
    assert not backbone.language_model.training


def test_gpt2_says_when_positions_run_out() -> None:
    backbone = scratch(GPT2Backbone)
    with pytest.raises(UserError, match="128 positions"):
        generate(backbone, ["walk"], "motion", token_counts=[128])
    with pytest.raises(UserError, match="32 positions"):
        scratch(GPT2Backbone, positions=32)


def test_saved_backbone_is_the_same_when_loaded(
    backbone: Backbone, pairs: list[Pair], tmp_path
) -> None:
    folder = tmp_path / "run" / "backbone"
    backbone.save(folder)
    backbone.save(folder)  # replaces the old one
    assert [path.name for path in folder.parent.iterdir()] == ["backbone"]
    assert (folder / "model" / "model.safetensors").is_file()
    loaded = load_backbone(folder, codebook_size=K).eval()
    assert type(loaded) is type(backbone)
    assert loaded.max_input_tokens == 48
    greedy = DECODINGS["greedy"]
    assert generate(loaded, TEXTS[:2], "motion", greedy, max_motion_tokens=FREE) == generate(
        backbone, TEXTS[:2], "motion", greedy, max_motion_tokens=FREE
    )
    torch.testing.assert_close(
        loaded.loss(loaded.collate(pairs)), backbone.loss(backbone.collate(pairs)), rtol=0, atol=0
    )


def test_wrong_folders_are_refused_by_name(tmp_path) -> None:
    with pytest.raises(UserError, match=r"backbone\.json is absent"):
        load_backbone(tmp_path)
    folder = tmp_path / "backbone"
    scratch(T5Backbone).save(folder)
    with pytest.raises(UserError, match=r"16 codes.* has 512"):
        load_backbone(folder, codebook_size=512)
    with pytest.raises(UserError, match="t5 backbone, not gpt2"):
        GPT2Backbone.load(folder)
    settings = json.loads((folder / "backbone.json").read_text())
    (folder / "backbone.json").write_text(json.dumps({**settings, "architecture": "bert"}))
    with pytest.raises(UserError, match=r"bert.*gpt2, t5"):
        load_backbone(folder)


def without_motion_tokens(kind: type[Backbone], folder, spare_rows: int = 0) -> None:
    """A folder as published weights come: text tokens only, and spare rows behind them."""
    backbone = scratch(kind)
    tokenizer = train_text_tokenizer(TEXTS, 420)
    resize_vocabulary(backbone.language_model, len(tokenizer) + spare_rows, [], "released")
    backbone.language_model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)


@pytest.mark.parametrize("kind", [T5Backbone, GPT2Backbone])
def test_published_weights_from_a_folder(kind: type[Backbone], tmp_path, pairs) -> None:
    without_motion_tokens(kind, tmp_path, spare_rows=5)
    backbone = kind.pretrained(str(tmp_path), K, **LIMITS)
    ids = backbone.vocabulary.token_ids(backbone.text_tokenizer)
    rows = backbone.language_model.get_input_embeddings().weight
    assert len(rows) == len(backbone.text_tokenizer) == ids.max() + 1
    assert backbone.language_model.get_output_embeddings().weight is rows  # still tied
    assert backbone.loss(backbone.collate(pairs)).isfinite()
    backbone.save(tmp_path / "saved")
    assert load_backbone(tmp_path / "saved", K).text_tokenizer.get_vocab() == (
        AutoTokenizer.from_pretrained(tmp_path / "saved" / "text_tokenizer").get_vocab()
    )


def test_initialisations_of_new_rows(tmp_path) -> None:
    without_motion_tokens(T5Backbone, tmp_path, spare_rows=5)

    def new_rows(initialisation: str):
        torch.manual_seed(3)
        backbone = T5Backbone.pretrained(str(tmp_path), K, initialisation=initialisation)
        ids = backbone.vocabulary.token_ids(backbone.text_tokenizer)
        weight = backbone.language_model.get_input_embeddings().weight.detach()
        return weight[ids], weight[: ids.min()]

    rows, old = new_rows("normal")
    assert 0.7 < rows.std() / old.std() < 1.3
    mean_rows, _ = new_rows("mean_resizing")
    released_rows, _ = new_rows("released")
    assert mean_rows[5:].std(dim=0).max() < 0.01 * old.std()  # nearly equal rows (B8)
    assert 0.7 < released_rows[5:].std() < 1.3  # T5 draws with deviation 1.0
    assert torch.equal(mean_rows[:5], released_rows[:5])  # spare rows stay, as published
    assert not torch.equal(rows[:5], released_rows[:5])
    with pytest.raises(UserError, match="normal, mean_resizing, released"):
        new_rows("zeros")


def test_untied_output_rows_are_initialised_too(tmp_path) -> None:
    backbone = scratch(T5Backbone)
    backbone.language_model.config.tie_word_embeddings = False
    head = torch.nn.Linear(32, len(backbone.text_tokenizer), bias=False)
    torch.nn.init.normal_(head.weight, mean=4.0, std=0.1)
    backbone.language_model.set_output_embeddings(head)
    new_ids = list(range(400, 440))
    resize_vocabulary(backbone.language_model, 440, new_ids, "normal")
    out = backbone.language_model.get_output_embeddings().weight[new_ids]
    assert abs(out.mean() - 4.0) < 0.1
    assert abs(backbone.language_model.get_input_embeddings().weight[new_ids].mean()) < 0.5


def test_weights_that_cannot_be_had(tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UserError, match=r"nowhere can't be loaded.*pass its folder"):
        T5Backbone.pretrained(str(tmp_path / "nowhere"), K)
    without_motion_tokens(GPT2Backbone, tmp_path)
    with pytest.raises(UserError, match="gpt2 model, not t5"):
        T5Backbone.pretrained(str(tmp_path), K)
