"""Released checkpoints become model folders whose numbers are those of the originals."""

import hashlib
import json

import numpy as np
import pytest
import torch
from omegaconf import OmegaConf

from launch.cli import main
from motiongpt.backbones.loading import load_backbone
from motiongpt.codecs.trained import TrainedTokenizer
from motiongpt.codecs.vq_vae.quantizers.standard import StandardQuantizer
from motiongpt.errors import UserError
from motiongpt.methods.motiongpt.generation.generate import generate
from motiongpt.published.folder import ModelFolder
from motiongpt.published.import_checkpoint import import_checkpoint
from motiongpt.published.importers.base import ImportOptions
from tests.shared import shared
from tests.unit.original_checkpoints import (
    FURTHER,
    WORDS,
    K,
    gpt2,
    original_vq_vae,
    state_of,
    statistics,
    t5,
    text_tokenizer,
    vq_vae,
)

ROWS = WORDS + K + 3


@pytest.fixture
def options(tmp_path):
    return ImportOptions(
        statistics=statistics(tmp_path / "MotionGPT" / "assets" / "meta").parents[1],
        text_tokenizer=text_tokenizer(tmp_path / "words"),
    )


def saved(path, state, **further):
    torch.save(
        {"state_dict": state, "hyper_parameters": OmegaConf.create({"a": 1})} | further, path
    )
    return path


def imported(tmp_path, state, options, **further) -> ModelFolder:
    file = saved(tmp_path / "released.tar", state, **further)
    return import_checkpoint(file, tmp_path / "folder", options, force=True, log=str)


def backbone_of(folder: ModelFolder):
    return load_backbone(folder.part("language_model"))


def codec_of(folder: ModelFolder):
    return TrainedTokenizer.load(folder.part("codec"))


def refused(tmp_path, state, options, *words):
    folder = tmp_path / "never"
    with pytest.raises(UserError) as caught:
        import_checkpoint(saved(tmp_path / "bad.tar", state), folder, options, log=str)
    said = str(caught.value)
    assert "\n" not in said and not folder.exists()
    for word in words:
        assert word in said, said


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"feed_forward_proj": "relu", "tie_word_embeddings": True},
        {"num_layers": 1, "num_decoder_layers": 1, "relative_attention_num_buckets": 16},
    ],
    ids=["flan", "first t5", "other sizes"],
)
def test_a_t5_gives_the_logits_of_the_original(changes, options, tmp_path):
    original = t5(ROWS, **changes)
    model = backbone_of(imported(tmp_path, state_of(vq_vae(), original), options))
    ids = torch.randint(2, ROWS, (3, 9))
    labels = torch.randint(2, ROWS, (3, 7))
    with torch.no_grad():
        expected = original(input_ids=ids, labels=labels).logits
        logits, targets = model.logits(model.collate_ids(ids.tolist(), labels.tolist()))
    assert torch.equal(targets, labels.flatten())
    torch.testing.assert_close(logits, expected.flatten(0, 1), rtol=0, atol=2e-5)
    assert model.language_model.config.tie_word_embeddings == original.config.tie_word_embeddings
    generated = generate(model, ["word3 word4"], "motion", token_counts=[5], seed=0)
    assert generated[0].count("<motion_id_") == 7


def test_a_gpt2_gives_the_logits_of_the_original(options, tmp_path):
    original = gpt2(ROWS)
    state = state_of(vq_vae(), original)
    for layer in range(2):  # buffers of transformers before 2023
        state[f"lm.language_model.transformer.h.{layer}.attn.bias"] = torch.ones(1, 1, 560, 560)
        state[f"lm.language_model.transformer.h.{layer}.attn.masked_bias"] = torch.tensor(-1e4)
    model = backbone_of(imported(tmp_path, state, options))
    assert model.language_model.config.n_head == 2
    ids = torch.randint(2, ROWS, (2, 11))
    with torch.no_grad():
        expected = original(input_ids=ids).logits[:, 3:-1].flatten(0, 1)
        logits, _ = model.logits(model.collate_ids(ids[:, :4].tolist(), ids[:, 4:].tolist()))
    torch.testing.assert_close(logits, expected, rtol=0, atol=2e-5)


def test_motion_tokens_are_the_rows_behind_the_words(options, tmp_path):
    model = backbone_of(imported(tmp_path, state_of(vq_vae(), t5(ROWS)), options))
    assert model.token_ids.codes == tuple(range(WORDS, WORDS + K))
    assert (model.token_ids.start, model.token_ids.end) == (WORDS + K, WORDS + K + 1)
    assert model.encode_inputs(["word0 <motion_id_3>"]) == [[3, WORDS + 3, 1]]


def test_the_vq_vae_gives_the_numbers_of_the_original(options, tmp_path):
    with np.load(shared("parity", "vq", "small_down2_eval.npz"), allow_pickle=False) as arrays:
        case = {name: torch.from_numpy(array.copy()) for name, array in arrays.items()}
    state = {f"vae.{name[3:]}": t for name, t in case.items() if name.startswith("sd/")}
    model = codec_of(imported(tmp_path, state, options))
    raw = [clip.numpy() * model.std + model.mean for clip in case["batch/x"]]
    codes = model.encode(raw)
    clear = case["batch/idx_margin"].numpy() > 1e-3
    assert np.array_equal(np.stack(codes)[clear], case["batch/code_idx"].numpy()[clear])
    decoded = model.decode([case["batch/code_idx"][0].numpy()])[0]
    expected = case["batch/decode_first"][0].numpy() * model.std + model.mean
    np.testing.assert_allclose(decoded, expected, rtol=1e-4, atol=1e-4)


def test_statistics_and_provenance_are_kept(options, tmp_path):
    folder = imported(tmp_path, state_of(vq_vae(), t5(ROWS)), options)
    tokenizer = codec_of(folder)
    meta = options.statistics / "assets" / "meta"
    assert np.array_equal(tokenizer.mean, np.load(meta / "mean.npy").astype(np.float32))
    assert np.array_equal(tokenizer.std, np.load(meta / "std.npy").astype(np.float32))
    assert (folder.skeleton, folder.fps, folder.name) == ("humanml3d", 20.0, "folder")
    digest = hashlib.sha256((tmp_path / "released.tar").read_bytes()).hexdigest()
    assert folder.source["sha256"] == digest
    assert folder.source["text_tokenizer"] == "words", "not where it lies on this machine"


def test_importing_again_gives_the_same_bytes(options, tmp_path):
    def content():
        folder = imported(tmp_path, state_of(vq_vae(), t5(ROWS)), options).folder
        return {path.name: path.read_bytes() for path in folder.rglob("*") if path.is_file()}

    assert content() == content()


def test_t2m_gpt_gives_a_tokenizer_alone(options, tmp_path):
    for prefix, kind in (("vqvae.", "ema"), ("", "ema"), ("vqvae.", "learned")):
        network = vq_vae(n_features=251) if kind == "ema" else vq_vae(251, 251, StandardQuantizer)
        file = tmp_path / "net_last.pth"
        torch.save({"net": original_vq_vae(network, prefix)}, file)
        meta = statistics(tmp_path / "kit", 251)
        folder = import_checkpoint(
            file, tmp_path / "kit_model", ImportOptions(meta), force=True, log=str
        )
        assert list(folder.parts) == ["codec"] and (folder.skeleton, folder.fps) == ("kit", 12.5)
        clip = torch.randn(1, 40, 251)
        tokenizer = codec_of(folder).tokenizer
        assert torch.equal(tokenizer.encode(clip), network.encode(clip))
        with pytest.raises(UserError, match="without language_model; it has codec"):
            backbone_of(folder)


def test_a_first_stage_gives_a_tokenizer_alone(options, tmp_path):
    assert list(imported(tmp_path, state_of(vq_vae()), options).parts) == ["codec"]


def test_wrong_files_are_refused_with_what_was_expected_and_found(options, tmp_path):
    whole = state_of(vq_vae(), t5(ROWS))
    lm = "lm.language_model."

    def changed(**changes):
        state = {**whole, **{k.replace("__", "."): v for k, v in changes.items()}}
        return {name: tensor for name, tensor in state.items() if tensor is not None}

    def without(name):
        return {key: value for key, value in whole.items() if key != name}

    final = lm + "decoder.final_layer_norm.weight"
    refused(tmp_path, without(final), options, final, "expected shape (24,)", "found no such")
    refused(
        tmp_path,
        {**whole, final: torch.ones(23)},
        options,
        "expected shape (24,)",
        "found shape (23,)",
    )
    refused(
        tmp_path,
        {**whole, lm + "lora.weight": torch.ones(2)},
        options,
        "lora.weight",
        "expected no",
    )
    refused(tmp_path, {**whole, "clip.weight": torch.ones(2)}, options, "found clip.weight too")
    refused(
        tmp_path, {**whole, lm + "encoder.embed_tokens.weight": torch.zeros(ROWS, 24)}, options,
        "encoder.embed_tokens.weight", "expected the same numbers",
    )  # fmt: skip
    refused(tmp_path, without(lm + "shared.weight"), options, "shared.weight (T5)")
    bias = "encoder.block.0.layer.0.SelfAttention.relative_attention_bias.weight"
    refused(tmp_path, without(lm + bias), options, "expected this weight")
    refused(tmp_path, without("vae.quantizer.codebook"), options, "vae.quantizer.codebook")
    refused(
        tmp_path, without("vae.decoder.model.0.bias"), options, "decoder.input_convolution.bias"
    )
    refused(
        tmp_path,
        {**whole, "vae.quantizer.codebook": "gone"},
        options,
        "expected a tensor",
        "found str",
    )
    rows = ROWS + 512 - K
    refused(
        tmp_path, state_of(vq_vae(), t5(rows)), options,
        f"expected {ROWS} rows", f"{WORDS} tokens", f"found {rows}",
    )  # fmt: skip
    refused(tmp_path, state_of(vq_vae(n_features=100)), options, "expected 263", "found 100")
    refused(tmp_path, state_of(vq_vae(), gpt2(ROWS)) | {lm + "transformer.wte.weight": torch.ones(ROWS, 100)}, options, "multiple of 64", "found 100")  # fmt: skip


def test_other_codebooks_than_asked_are_refused(options, tmp_path):
    asked = ImportOptions(options.statistics, None, options.text_tokenizer, codebook_size=512)
    refused(tmp_path, state_of(vq_vae()), asked, "expected a codebook of 512 codes, found 16")


def test_other_dictionaries_are_refused_with_their_keys(options, tmp_path):
    for content in ({"trans": {"layer.weight": torch.ones(2)}}, {}, {"state_dict": {"a": 1}}):
        torch.save(content, tmp_path / "other.pth")
        with pytest.raises(UserError, match="or state_dict with vae") as caught:
            import_checkpoint(tmp_path / "other.pth", tmp_path / "never", options, log=str)
        assert all(name in str(caught.value) for name in content or ["nothing"])


def test_without_statistics_it_says_where_they_are(options, tmp_path):
    def told(statistics=None, store=None):
        asked = ImportOptions(statistics, store, options.text_tokenizer)
        with pytest.raises(UserError) as caught:
            imported(tmp_path, state_of(vq_vae()), asked)
        return str(caught.value)

    assert "assets/meta" in told() and "--statistics" in told()
    assert "no mean.npy here" in told(tmp_path / "empty")
    narrow = statistics(tmp_path / "narrow", 251)
    assert "expected 263 real numbers, found float64 of shape (251,)" in told(narrow)
    assert "give one of them" in told(narrow, tmp_path)
    np.save(narrow / "mean.npy", np.array([{}]), allow_pickle=True)
    assert "expected an array of numbers" in told(narrow)


def test_statistics_of_another_normalisation_are_warned_of(options, tmp_path, capsys):
    plain = ImportOptions(statistics(tmp_path / "plain", contacts=0.45), None, None)
    file = saved(tmp_path / "released.tar", state_of(vq_vae()))
    import_checkpoint(file, tmp_path / "folder", plain)
    assert "warning: root and contacts" in capsys.readouterr().out
    import_checkpoint(file, tmp_path / "other", ImportOptions(options.statistics))
    assert "warning" not in capsys.readouterr().out


def test_an_absent_text_tokenizer_is_named_with_the_way_out(options, monkeypatch, tmp_path):
    asked = ImportOptions(options.statistics, None, str(tmp_path / "nowhere"))
    monkeypatch.setattr("motiongpt.published.language_model.hub_is_reachable", lambda: False)
    refused(tmp_path, state_of(vq_vae(), t5(ROWS)), asked, "nowhere", "--text-tokenizer FOLDER")
    usual = ImportOptions(options.statistics)
    refused(
        tmp_path, state_of(vq_vae(), t5(ROWS)), usual, "google/flan-t5-base", "can't be reached"
    )


def test_the_command_says_what_it_made_and_keeps_what_is_there(options, tmp_path, capsys):
    file = saved(tmp_path / "motiongpt_small.tar", state_of(vq_vae(), t5(ROWS)))
    words = [
        "import-checkpoint", str(file), "--statistics", str(options.statistics),
        "--text-tokenizer", options.text_tokenizer,
    ]  # fmt: skip
    assert main(words) == 0
    said = capsys.readouterr().out
    for part in (
        "16 codes, 4 frames a token, 263 features (humanml3d, 20 fps)",
        f"t5, {ROWS} tokens of which 19 for motion",
        f"{len(FURTHER)} entries of _losses, metrics",
        "experiment=published published.folder=",
    ):
        assert part in said, said
    folder = tmp_path / "motiongpt_small"
    assert json.loads((folder / "motiongpt.json").read_text())["source"]["importer"] == "motiongpt"
    assert main(words) == 2
    assert "is there already (of motiongpt_small.tar)" in capsys.readouterr().err
    assert main([*words, "--force"]) == 0
    assert main([*words, "--force", "--codebook-size", "512"]) == 2
    assert "expected a codebook of 512 codes, found 16" in capsys.readouterr().err
    assert backbone_of(ModelFolder.open(folder))
    (tmp_path / "bare").write_bytes(file.read_bytes())
    assert main(["import-checkpoint", str(tmp_path / "bare")]) == 2
    assert "name the folder to write" in capsys.readouterr().err
