"""Our writing against transformers' own generation, and what chance does to it."""

import copy
import pickle

import numpy as np
import pytest
import torch
from motiongpt.backbones.writers.t5 import T5Writer
from motiongpt.sampling.chance import uniform_rows
from scipy.stats import ks_2samp
from transformers import GenerationConfig, LogitsProcessorList, T5Config, T5ForConditionalGeneration

from motiongpt.backbones.base import Backbone
from motiongpt.backbones.gpt2 import GPT2Backbone
from motiongpt.backbones.t5 import T5Backbone
from motiongpt.errors import UserError
from motiongpt.methods.motiongpt.generation import batched, writers
from motiongpt.methods.motiongpt.generation.constraints import Rows, WritingConstraint
from motiongpt.methods.motiongpt.generation.decoding import Decoding
from motiongpt.methods.motiongpt.generation.generate import generate
from motiongpt.sampling.choice import choose

TEXTS = [f"a person walks {way} and waves {n} times" for way in ("on", "back") for n in range(9)]
PROMPTS = ["walk", "a person waves 3 times and walks back", "w", "what is this?", "a person walks"]
KINDS = ["motion", "motion", "motion", "text", "text"]
COUNTS = [None, 9, 3, None, None]
MODELS = {
    "t5 gated": (T5Backbone, {"activation": "gated-gelu"}),
    "t5 relu": (T5Backbone, {"activation": "relu"}),
    "gpt2": (GPT2Backbone, {}),
}


def spread(backbone: Backbone) -> Backbone:
    """A model that does not say the same each time: random weights are too alike."""
    with torch.no_grad():
        for weight in backbone.language_model.parameters():
            weight.mul_(3.0)
    return backbone.eval()


@pytest.fixture(scope="module", params=MODELS)
def backbone(request):
    torch.manual_seed(0)
    kind, options = MODELS[request.param]
    sizes = {"feed_forward_width": 48, "encoder_layers": 2, "decoder_layers": 2}
    sizes = sizes if kind is T5Backbone else {"layers": 2, "positions": 640}
    return spread(kind.scratch(16, TEXTS, width=32, heads=4, text_tokens=420, **sizes, **options))


def transformers_own(backbone, prompts, kinds, counts, most=12):
    rows = Rows.of(kinds, counts, most, most)
    inputs, prefix = backbone._prompt_batch(prompts)
    ids = backbone.token_ids
    config = GenerationConfig(
        max_new_tokens=rows.longest(),
        do_sample=False,
        eos_token_id=[ids.end_of_text, ids.end],
        pad_token_id=backbone.language_model.config.pad_token_id,
        decoder_start_token_id=backbone.language_model.config.decoder_start_token_id,
    )
    written = backbone.language_model.generate(
        **inputs,
        generation_config=config,
        use_model_defaults=False,
        logits_processor=LogitsProcessorList([WritingConstraint(ids, rows, prefix)]),
    )[:, prefix:].tolist()
    found = []
    for row in written:
        ends = [place for place, token in enumerate(row) if token in (ids.end, ids.end_of_text)]
        last = ends[0] if ends else len(row)
        found.append(backbone._decode(row[: last + (bool(ends) and row[last] == ids.end)]))
    return found


def test_greedy_answers_are_those_of_transformers(backbone):
    expected = transformers_own(backbone, PROMPTS, KINDS, COUNTS)
    decoding = Decoding("greedy", max_motion_tokens=12, max_text_tokens=12)
    assert generate(backbone, PROMPTS, KINDS, decoding, COUNTS) == expected
    assert len(set(expected)) == len(expected)


def test_rows_end_at_different_times_and_are_dropped(backbone, monkeypatch):
    counts = [2, 3, 30, 5, 40, 7]
    prompts = [*PROMPTS, "turn"]
    expected = transformers_own(backbone, prompts, ["motion"] * 6, counts, 40)
    greedy = Decoding("greedy")
    assert generate(backbone, prompts, "motion", greedy, counts) == expected
    monkeypatch.setattr(batched, "LOOK_EVERY", {"cpu": 8})
    assert generate(backbone, prompts, "motion", greedy, counts) == expected


def test_a_sampled_row_does_not_depend_on_the_others(backbone):
    small = Decoding(max_motion_tokens=12, max_text_tokens=9, batch_size=1)
    whole = Decoding(max_motion_tokens=12, max_text_tokens=9)
    first = generate(backbone, PROMPTS, KINDS, whole, COUNTS, seed=3)
    assert first == generate(backbone, PROMPTS, KINDS, small, COUNTS, seed=3)
    assert first != generate(backbone, PROMPTS, KINDS, whole, COUNTS, seed=4)
    assert first[:2] == generate(backbone, PROMPTS[:2], KINDS[:2], whole, COUNTS[:2], seed=3)


def test_trained_weights_are_written_with_at_once(backbone):
    greedy = Decoding("greedy", max_motion_tokens=12)
    before = generate(backbone, PROMPTS[:3], "motion", greedy, [8] * 3)
    saved = {name: value.clone() for name, value in backbone.state_dict().items()}
    with torch.no_grad():
        for weight in backbone.language_model.parameters():
            weight.add_(torch.randn_like(weight))
    changed = generate(backbone, PROMPTS[:3], "motion", greedy, [8] * 3)
    assert changed == transformers_own(backbone, PROMPTS[:3], ["motion"] * 3, [8] * 3)
    backbone.load_state_dict(saved)
    assert generate(backbone, PROMPTS[:3], "motion", greedy, [8] * 3) == before != changed


def test_a_backbone_that_has_written_can_be_copied_and_sent(backbone):
    greedy = Decoding("greedy", max_motion_tokens=4)
    written = generate(backbone, PROMPTS, "motion", greedy)
    for other in (copy.deepcopy(backbone), pickle.loads(pickle.dumps(backbone))):
        assert generate(other, PROMPTS, "motion", greedy) == written


def test_bfloat16_follows_float32(backbone):
    """Logits differ by rounding only: the same tokens are fed to both."""
    inputs, _ = backbone._prompt_batch(PROMPTS)
    alphabet = backbone.token_ids.alphabet("motion")
    found = {}
    for precision in ("float32", "bfloat16"):
        writer = backbone._make_writer(precision)
        draft, head = writer.begin(inputs, 6), writer.head(alphabet.token_ids)
        for code in (3, 1, 4, 1, 5):
            draft.write(alphabet.token_ids[[code] * len(PROMPTS)])
        found[precision] = head(draft.hidden)
    gap = (found["float32"] - found["bfloat16"]).square().mean().sqrt() / found["float32"].std()
    assert 0 < gap < 0.1


def test_untied_embeddings_are_not_scaled():
    config = T5Config(
        vocab_size=40, d_model=16, d_kv=4, d_ff=24, num_layers=1, num_heads=2, num_decoder_layers=2
    )
    for tied in (True, False):
        config.tie_word_embeddings, config.decoder_start_token_id = tied, 0
        torch.manual_seed(1)
        model = T5ForConditionalGeneration(config).eval()
        inputs = {"input_ids": torch.tensor([[5, 6, 7], [8, 1, 0]])}
        inputs["attention_mask"] = torch.tensor([[1, 1, 1], [1, 1, 0]])
        with torch.no_grad():
            draft = (writer := T5Writer(model, "float32")).begin(inputs, 3)
            for tokens in ([3, 9], [4, 11]):
                draft.write(torch.tensor(tokens))
            found = writer.head(torch.arange(40))(draft.hidden)
            answer = torch.tensor([[0, 3, 4], [0, 9, 11]])
            expected = model(**inputs, decoder_input_ids=answer).logits[:, -1]
        assert torch.allclose(found, expected, atol=1e-5)


def test_sampled_lengths_are_distributed_as_transformers_own(backbone):
    rows, most = 600, 12
    ours = generate(
        backbone, ["walk on"] * rows, "motion", Decoding(top_k=0, max_motion_tokens=most), seed=1
    )
    ids = backbone.token_ids
    inputs, prefix = backbone._prompt_batch(["walk on"] * rows)
    asked = Rows.of(["motion"] * rows, [None] * rows, most, most)
    torch.manual_seed(2)
    theirs = backbone.language_model.generate(
        **inputs,
        generation_config=GenerationConfig(
            max_new_tokens=asked.longest(),
            do_sample=True,
            top_k=0,
            eos_token_id=[ids.end],
            pad_token_id=backbone.language_model.config.pad_token_id,
            decoder_start_token_id=backbone.language_model.config.decoder_start_token_id,
        ),
        use_model_defaults=False,
        logits_processor=LogitsProcessorList([WritingConstraint(ids, asked, prefix)]),
    )[:, prefix:]
    lengths = [
        [len(backbone.vocabulary.read(text)) for text in ours],
        ((theirs != ids.end).cumprod(1).sum(1) - 1).tolist(),
    ]
    assert len(set(lengths[0])) > 3
    assert ks_2samp(*lengths).pvalue > 1e-3


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"top_k": 0}, [0.4, 0.3, 0.2, 0.1]),
        ({"top_k": 2}, [4 / 7, 3 / 7, 0, 0]),
        ({"top_k": 0, "top_p": 0.65}, [4 / 7, 3 / 7, 0, 0]),
        ({"top_k": 0, "top_p": 0.71}, [4 / 9, 3 / 9, 2 / 9, 0]),
        ({"top_k": 0, "temperature": 0.5}, [16 / 30, 9 / 30, 4 / 30, 1 / 30]),
    ],
)
def test_tokens_are_drawn_as_often_as_they_are_likely(options, expected):
    n = 40_000
    order = torch.tensor([2, 0, 3, 1])  # the likeliest is not the first
    logits = torch.tensor([0.4, 0.3, 0.2, 0.1]).log()[order].expand(n, 4)
    chance = uniform_rows(5, n, 1)[:, 0]
    drawn = np.bincount(order[choose(logits, chance, Decoding(**options))], minlength=4) / n
    assert np.abs(drawn - expected).max() < 4 * np.sqrt(0.25 / n)
    assert (drawn[np.array(expected) == 0] == 0).all()


def test_the_ends_of_chance_choose_what_may_be_written():
    logits = torch.tensor([[0.0, float("-inf"), 1.0, float("-inf")]]).expand(2, 4)
    chance = torch.tensor([0.0, np.nextafter(np.float32(1), np.float32(0))])
    assert choose(logits, chance, Decoding(top_k=0)).tolist() == [2, 0]


def test_streams_of_rows_differ_and_repeat():
    first = uniform_rows(1, 4, 6)
    assert torch.equal(first[:2], uniform_rows(1, 2, 9)[:, :6])
    assert len(first.unique()) == 24 and (first != uniform_rows(2, 4, 6)).all()


def test_unknown_precision_is_refused():
    with pytest.raises(UserError, match="precision=float16 is unknown: choose one of float32"):
        Decoding(precision="float16")


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("packed", [True, False])
def test_products_with_weights_laid_out_are_products(dtype, packed, monkeypatch):
    if not packed:
        monkeypatch.setattr(writers.product, "_can_pack", lambda dtype: False)
    for outputs, inputs in ((515, 64), (7, 5), (96, 48)):
        weight = torch.randn(outputs, inputs)
        multiply = writers.product.product(weight, dtype)
        for rows in (1, 5, 33):
            values = torch.randn(rows, inputs).to(dtype)
            expected = values.double() @ weight.to(dtype).double().T
            allowed = 1e-5 if dtype == torch.float32 else 2e-2
            assert (multiply(values).double() - expected).abs().max() < allowed * expected.std()
