"""Decoder-only models by name: small random ones in folders that the tests make."""

import json
import shutil
from functools import partial
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import AutoModelForCausalLM

from motiongpt.backbones import adapters
from motiongpt.backbones.adapters import LoRA
from motiongpt.backbones.causal import CausalBackbone
from motiongpt.backbones.loading import load_backbone, load_merged_backbone
from motiongpt.errors import UserError
from motiongpt.methods.motiongpt.generation.decoding import Decoding
from motiongpt.methods.motiongpt.generation.generate import generate
from motiongpt.methods.motiongpt.tasks.example import Example
from motiongpt.preflight import Outlook, preflight
from tests.unit.causal_folders import SIZES, TEXTS, published
from tests.unit.test_generation_loop import COUNTS, KINDS, PROMPTS, transformers_own

K = 16
LIMITS = {"max_input_tokens": 48, "max_target_tokens": 48}
EXAMPLES = [
    Example("show: a person walks", "<motion_id_16><motion_id_1><motion_id_2><motion_id_17>"),
    Example("what is <motion_id_16><motion_id_4><motion_id_17>?", TEXTS[0]),
]
ADAPTED = ("llama", "qwen2", "gpt2")  # untied, tied, of transposed layers
TIED = ("qwen2", "gpt2")


@pytest.fixture(scope="module")
def folders(tmp_path_factory) -> dict[str, Path]:
    root = tmp_path_factory.mktemp("published")
    return {kind: published(root / kind, kind) for kind in SIZES}


def backbone_of(folder: Path, **options: object) -> CausalBackbone:
    torch.manual_seed(1)
    return CausalBackbone.pretrained(str(folder), K, **LIMITS, **options)


@pytest.fixture(scope="module", params=SIZES)
def backbone(request, folders) -> CausalBackbone:
    return backbone_of(folders[request.param]).eval()


def kind_of(backbone: CausalBackbone) -> str:
    return backbone.language_model.config.model_type


def test_the_loss_is_transformers_own(backbone):
    batch = backbone.collate(EXAMPLES)
    known = {name: batch[name] for name in ("input_ids", "attention_mask", "labels")}
    torch.testing.assert_close(backbone.loss(batch), backbone.language_model(**known).loss)


def test_greedy_outputs_are_those_of_transformers(backbone):
    expected = transformers_own(backbone, PROMPTS, KINDS, COUNTS)
    greedy = Decoding("greedy", max_text_tokens=12)
    found = generate(backbone, PROMPTS, KINDS, greedy, COUNTS, max_motion_tokens=12)
    assert found == expected
    assert len(set(expected)) == len(expected)
    alone = [
        generate(backbone, [prompt], kind, greedy, [count], max_motion_tokens=12)[0]
        for prompt, kind, count in zip(PROMPTS, KINDS, COUNTS, strict=True)
    ]
    assert alone == found


def test_rows_end_at_different_times_and_beams_are_searched(backbone):
    counts = [2, 3, 20, 5, 9]
    expected = transformers_own(backbone, PROMPTS, ["motion"] * 5, counts, 20)
    assert generate(backbone, PROMPTS, "motion", Decoding("greedy"), counts) == expected
    found = generate(backbone, PROMPTS, "motion", Decoding("beams", num_beams=2), counts)
    assert [len(backbone.vocabulary.read(one)) for one in found] == counts


def test_new_rows_are_like_the_rest_and_tied_ones_stay_tied(backbone, folders):
    model, ids = backbone.language_model, list(backbone.token_ids.codes)
    read, scores = model.get_input_embeddings().weight, model.get_output_embeddings()
    assert (scores.weight is read) == (kind_of(backbone) in TIED)
    assert len(read) == len(scores.weight) == len(backbone.text_tokenizer)
    for rows in (read, scores.weight):
        assert 0.6 < rows[ids].std() / rows[:400].std() < 1.4
    if scores.bias is not None:
        assert len(scores.bias) == len(read)
    before = AutoModelForCausalLM.from_pretrained(folders[kind_of(backbone)])
    assert torch.equal(read[:400], before.get_input_embeddings().weight[:400])
    assert torch.equal(scores.weight[:400], before.get_output_embeddings().weight[:400])


def test_texts_begin_end_and_are_padded_as_the_tokenizer_allows(backbone):
    tokenizer, (row,) = backbone.text_tokenizer, backbone.encode_inputs(["a person"])
    assert tokenizer.eos_token == "</s>" and tokenizer.pad_token is not None
    opening = [tokenizer.bos_token_id] if kind_of(backbone) == "llama" else []
    assert row[: len(opening)] == opening == backbone.opening
    assert tokenizer.decode(row[len(opening) :]) == "a person \n "
    (cut,) = backbone.encode_inputs([" ".join(TEXTS)])
    assert len(cut) == 48 and cut[: len(opening)] == opening and cut[-2:] == row[-2:]
    assert backbone.encode_targets(["a"])[0][-1] == tokenizer.eos_token_id


def test_a_saved_one_is_the_same_when_loaded(backbone, tmp_path):
    backbone.save(tmp_path / "saved")
    loaded = load_backbone(tmp_path / "saved", K).eval()
    assert type(loaded) is CausalBackbone and loaded.max_input_tokens == 48
    torch.testing.assert_close(loaded.state_dict(), backbone.state_dict(), rtol=0, atol=0)
    assert (loaded.opening, loaded.token_ids) == (backbone.opening, backbone.token_ids)


def trained(backbone: CausalBackbone, steps: int = 4) -> CausalBackbone:
    optimizer = torch.optim.AdamW([p for p in backbone.parameters() if p.requires_grad], lr=1e-2)
    batch = {name: value.to(backbone.device) for name, value in backbone.collate(EXAMPLES).items()}
    for _ in range(steps):
        optimizer.zero_grad()
        backbone.loss(batch).backward()
        optimizer.step()
    return backbone


@pytest.mark.parametrize("kind", ADAPTED)
def test_adapters_and_new_rows_are_trained_and_nothing_else(folders, kind):
    whole, adapted = backbone_of(folders[kind]), backbone_of(folders[kind], lora=LoRA(rank=2))
    batch = adapted.collate(EXAMPLES)
    torch.testing.assert_close(adapted.loss(batch), whole.loss(batch))  # they change nothing yet
    before = {name: value.clone() for name, value in adapted.state_dict().items()}
    loss = adapted.loss(batch)
    trained(adapted)
    assert adapted.loss(batch) < 0.95 * loss
    changed = {
        name for name, value in adapted.state_dict().items() if not value.equal(before[name])
    }
    assert all("lora_" in name or "trainable_tokens_delta" in name for name in changed)
    rows = [value for name, value in adapted.named_parameters() if "tokens_delta" in name]
    assert len(rows) == (1 if kind in TIED else 2)
    assert all(value.shape == (K + 3, 32) and value.requires_grad for value in rows)


@pytest.mark.parametrize("kind", ADAPTED)
def test_adapters_are_saved_alone_and_merged_to_generate(folders, kind, tmp_path):
    adapted = trained(backbone_of(folders[kind], lora=LoRA(rank=2)))
    adapted.save(tmp_path / "saved")
    saved = {file.name for file in (tmp_path / "saved" / "adapters").iterdir()}
    assert saved == {"adapter_config.json", "adapter_model.safetensors"}
    assert not (tmp_path / "saved" / "model").exists()
    size = (tmp_path / "saved" / "adapters" / "adapter_model.safetensors").stat().st_size
    assert size < 0.3 * (folders[kind] / "model.safetensors").stat().st_size
    batch = adapted.collate(EXAMPLES)
    again = load_backbone(tmp_path / "saved", K)
    assert torch.equal(again.loss(batch), adapted.loss(batch))
    trainable = [n for n, p in again.named_parameters() if p.requires_grad]
    assert trainable == [n for n, p in adapted.named_parameters() if p.requires_grad]
    merged = load_merged_backbone(tmp_path / "saved", K).eval()
    assert merged.adapters is None and not any("lora" in name for name in merged.state_dict())
    torch.testing.assert_close(merged.loss(batch), adapted.loss(batch))
    greedy = Decoding("greedy", max_text_tokens=12)
    found = generate(merged, PROMPTS, KINDS, greedy, COUNTS, max_motion_tokens=12)
    assert found == transformers_own(merged, PROMPTS, KINDS, COUNTS)
    assert found == generate(adapted, PROMPTS, KINDS, greedy, COUNTS, max_motion_tokens=12)
    merged.save(tmp_path / "whole")
    assert torch.equal(load_backbone(tmp_path / "whole", K).loss(batch), merged.loss(batch))


def test_frozen_weights_may_be_of_bfloat16(folders, tmp_path):
    adapted = trained(backbone_of(folders["llama"], lora=LoRA(rank=2, base="bfloat16")))
    parameters = dict(adapted.named_parameters())
    assert {p.dtype for p in parameters.values() if p.requires_grad} == {torch.float32}
    assert {p.dtype for p in parameters.values() if not p.requires_grad} == {torch.bfloat16}
    adapted.save(tmp_path / "saved")
    merged = load_merged_backbone(tmp_path / "saved", K)
    assert {p.dtype for p in merged.parameters()} == {torch.float32}
    batch = adapted.collate(EXAMPLES)
    torch.testing.assert_close(merged.loss(batch), adapted.loss(batch), rtol=0.02, atol=0.02)


def test_adapters_belong_to_the_weights_that_they_were_trained_beside(folders, tmp_path):
    folder = shutil.copytree(folders["llama"], tmp_path / "here")
    backbone_of(folder, lora=LoRA(rank=2)).save(tmp_path / "saved")
    with pytest.raises(UserError, match="16 codes.* has 512"):
        load_backbone(tmp_path / "saved", 512)
    config = json.loads((folder / "config.json").read_text())
    published(folder, "llama", rms_norm_eps=config["rms_norm_eps"] * 2)  # the same weights
    load_backbone(tmp_path / "saved", K)
    weights = load_file(folder / "model.safetensors")
    absent = next(name for name in weights if "q_proj" in name)
    del weights[absent]
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(UserError, match=f"lacks 1 weights, {absent}"):
        load_backbone(tmp_path / "saved", K)
    published(folder, "llama", num_key_value_heads=4)
    with pytest.raises(UserError, match="other weights than .*here holds now") as caught:
        load_merged_backbone(tmp_path / "saved", K)
    shutil.rmtree(folder)
    with pytest.raises(UserError, match="bring the weights back there") as caught:
        load_merged_backbone(tmp_path / "saved", K)
    assert "\n" not in str(caught.value)
    (tmp_path / "saved" / "backbone.json").write_text('{"architecture": "causal", "adapters": {}}')
    with pytest.raises(UserError, match="does not say what its adapters belong to"):
        load_backbone(tmp_path / "saved", K)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"rank": 0}, "rank=0: must be at least 1"),
        ({"alpha": -1}, "alpha=-1: must be above 0"),
        ({"dropout": 1.0}, "dropout=1.0"),
        ({"base": "int8"}, "base=int8: choose one of float32, bfloat16, nf4"),
    ],
)
def test_meaningless_adapters_are_refused(options, said):
    with pytest.raises(UserError, match=f"backbone.lora.{said}"):
        LoRA(**options)


def test_targets_that_a_model_lacks_are_refused_with_those_that_it_has(folders):
    with pytest.raises(UserError, match=r"targets=\['c_attn'\].*k_proj, .*q_proj"):
        backbone_of(folders["llama"], lora=LoRA(targets=["c_attn"]))
    with pytest.raises(UserError, match="phi model has a bias"):
        backbone_of(folders["phi"], lora=LoRA())
    some = backbone_of(folders["llama"], lora=LoRA(targets=["q_proj", "v_proj"]))
    assert not any("k_proj.lora" in name for name, _ in some.named_parameters())


def test_four_bits_are_refused_where_library_or_gpu_is_missing(monkeypatch):
    absent = {"bitsandbytes"}
    monkeypatch.setattr(adapters, "find_spec", lambda name: None if name in absent else name)
    with pytest.raises(UserError, match="nf4 needs bitsandbytes, which is not installed"):
        LoRA(base="nf4").check_libraries()
    absent.add("peft")
    with pytest.raises(UserError, match=r'needs peft, .*pip install -e "\.\[lora\]"'):
        LoRA().check_libraries()
    absent.clear()
    LoRA(base="nf4").check_libraries()
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(UserError, match="nf4 needs a GPU, and there is none") as caught:
        adapters.reading_options("nf4")
    assert "\n" not in str(caught.value)


REFUSED = {
    "bert": {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2},
    "mamba": {"hidden_size": 16, "num_hidden_layers": 1},
}


@pytest.mark.parametrize("kind", REFUSED)
def test_what_single_steps_cannot_be_made_with_is_refused(kind, tmp_path):
    folder = published(tmp_path / kind, kind, **REFUSED[kind])
    with pytest.raises(UserError, match=f"can't generate with a {kind} model") as caught:
        backbone_of(folder)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("t5", "is a t5 model, which has an encoder: .*flan_t5_base"),
        ("clip", "is a clip model, of which transformers has no language model"),
        ("none_such", "none_such"),
    ],
)
def test_another_kind_is_refused_before_its_weights_are_read(kind, said, tmp_path):
    (tmp_path / "config.json").write_text(json.dumps({"model_type": kind}))
    (tmp_path / "model.safetensors").write_bytes(b"")
    for refuse in (
        lambda: preflight(partial(CausalBackbone.pretrained, source=str(tmp_path)), Outlook()),
        lambda: backbone_of(tmp_path),
    ):
        with pytest.raises(UserError, match=said) as caught:
            refuse()
        assert "\n" not in str(caught.value)


def test_a_folder_that_is_whole_passes_ahead_and_one_that_is_not_there_says_how_to_fetch(folders):
    preflight(partial(CausalBackbone.pretrained, source=str(folders["llama"])), Outlook())
    with pytest.raises(UserError, match="hf download some/where --local-dir FOLDER"):
        preflight(partial(CausalBackbone.pretrained, source="some/where"), Outlook())


def test_more_than_its_positions_is_refused(folders):
    with pytest.raises(UserError, match="640 positions of this llama model"):
        CausalBackbone.pretrained(str(folders["llama"]), K, max_input_tokens=600)
