"""Our generation loop against transformers' own generation, and what sampling does to it."""

import copy
import pickle

import pytest
import torch
from scipy.stats import ks_2samp
from transformers import GenerationConfig, LogitsProcessorList

from motiongpt.backbones.base import Backbone
from motiongpt.backbones.gpt2 import GPT2Backbone
from motiongpt.backbones.t5 import T5Backbone
from motiongpt.methods.motiongpt.generation import loop
from motiongpt.methods.motiongpt.generation.constraints import OutputVocabulary, RowConstraint, Rows
from motiongpt.methods.motiongpt.generation.decoding import Decoding
from motiongpt.methods.motiongpt.generation.generate import generate

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
    inputs, prefix = backbone.prompt_batch(prompts)
    ids = backbone.token_ids
    config = backbone.language_model.config
    backbone.language_model.generation_config = GenerationConfig(
        max_new_tokens=rows.longest(),
        do_sample=False,
        eos_token_id=[ids.end_of_text, ids.end],
        pad_token_id=config.pad_token_id,
        decoder_start_token_id=getattr(config, "decoder_start_token_id", None),
    )
    generated = backbone.language_model.generate(
        **inputs,
        logits_processor=LogitsProcessorList([RowConstraint(ids, rows, prefix)]),
    )[:, prefix:].tolist()
    found = []
    for row in generated:
        ends = [i for i, token in enumerate(row) if token in (ids.end, ids.end_of_text)]
        last = ends[0] if ends else len(row)
        found.append(backbone.decode_ids(row[: last + (bool(ends) and row[last] == ids.end)]))
    return found


def test_greedy_outputs_are_those_of_transformers(backbone):
    expected = transformers_own(backbone, PROMPTS, KINDS, COUNTS)
    decoding = Decoding("greedy", max_text_tokens=12)
    found = generate(backbone, PROMPTS, KINDS, decoding, COUNTS, max_motion_tokens=12)
    assert found == expected
    assert len(set(expected)) == len(expected)


def test_rows_end_at_different_times_and_are_dropped(backbone, monkeypatch):
    counts = [2, 3, 30, 5, 40, 7]
    prompts = [*PROMPTS, "turn"]
    expected = transformers_own(backbone, prompts, ["motion"] * 6, counts, 40)
    greedy = Decoding("greedy")
    assert generate(backbone, prompts, "motion", greedy, counts) == expected
    monkeypatch.setattr(loop, "LOOK_EVERY", {"cpu": 8})
    assert generate(backbone, prompts, "motion", greedy, counts) == expected


def test_a_sampled_row_does_not_depend_on_the_others(backbone):
    def sampled(rows, seed, **options):
        decoding = Decoding(max_text_tokens=9, **options)
        asked = PROMPTS[:rows], KINDS[:rows], decoding, COUNTS[:rows]
        return generate(backbone, *asked, seed=seed, max_motion_tokens=12)

    first = sampled(len(PROMPTS), seed=3)
    assert first == sampled(len(PROMPTS), seed=3, batch_size=1)
    assert first != sampled(len(PROMPTS), seed=4)
    assert first[:2] == sampled(2, seed=3)


def test_trained_weights_are_used_at_once(backbone):
    greedy = Decoding("greedy")
    before = generate(backbone, PROMPTS[:3], "motion", greedy, [8] * 3)
    saved = {name: value.clone() for name, value in backbone.state_dict().items()}
    with torch.no_grad():
        for weight in backbone.language_model.parameters():
            weight.add_(torch.randn_like(weight))
    changed = generate(backbone, PROMPTS[:3], "motion", greedy, [8] * 3)
    assert changed == transformers_own(backbone, PROMPTS[:3], ["motion"] * 3, [8] * 3)
    backbone.load_state_dict(saved)
    assert generate(backbone, PROMPTS[:3], "motion", greedy, [8] * 3) == before != changed


def test_a_backbone_that_has_generated_can_be_copied_and_sent(backbone):
    greedy = Decoding("greedy")
    outputs = generate(backbone, PROMPTS, "motion", greedy, max_motion_tokens=4)
    for other in (copy.deepcopy(backbone), pickle.loads(pickle.dumps(backbone))):
        assert generate(other, PROMPTS, "motion", greedy, max_motion_tokens=4) == outputs


def test_bfloat16_follows_float32(backbone):
    """Logits differ by rounding only: the same tokens are fed to both."""
    inputs, _ = backbone.prompt_batch(PROMPTS)
    vocabulary = OutputVocabulary.of("motion", backbone.token_ids)
    found = {}
    for precision in ("float32", "bfloat16"):
        model = backbone.step_model(precision)
        state, head = model.start(inputs, 6), model.head(vocabulary.token_ids)
        for code in (3, 1, 4, 1, 5):
            state.append(vocabulary.token_ids[[code] * len(PROMPTS)])
        found[precision] = head(state.hidden)
    gap = (found["float32"] - found["bfloat16"]).square().mean().sqrt() / found["float32"].std()
    assert 0 < gap < 0.1


def test_sampled_lengths_are_distributed_as_transformers_own(backbone):
    rows, most = 600, 12
    prompts = ["walk on"] * rows
    ours = generate(backbone, prompts, "motion", Decoding(top_k=0), seed=1, max_motion_tokens=most)
    ids = backbone.token_ids
    inputs, prefix = backbone.prompt_batch(prompts)
    asked = Rows.of(["motion"] * rows, [None] * rows, most, most)
    torch.manual_seed(2)
    config = backbone.language_model.config
    backbone.language_model.generation_config = GenerationConfig(
        max_new_tokens=asked.longest(),
        do_sample=True,
        top_k=0,
        eos_token_id=[ids.end],
        pad_token_id=config.pad_token_id,
        decoder_start_token_id=getattr(config, "decoder_start_token_id", None),
    )
    theirs = backbone.language_model.generate(
        **inputs,
        logits_processor=LogitsProcessorList([RowConstraint(ids, asked, prefix)]),
    )[:, prefix:]
    lengths = [
        [len(backbone.vocabulary.read(text)) for text in ours],
        ((theirs != ids.end).cumprod(1).sum(1) - 1).tolist(),
    ]
    assert len(set(lengths[0])) > 3
    assert ks_2samp(*lengths).pvalue > 1e-3
