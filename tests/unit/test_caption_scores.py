"""The caption metric: sentences gathered as tensors, scored together."""

import numpy as np
import pytest
import torch

from evaluation.captions.base import METRICS
from evaluation.captions.coco import CocoBackEnd
from evaluation.captions.nlg_metricverse import NlgMetricverseBackEnd
from evaluation.captions.protocol import PROTOCOLS
from evaluation.captions.score import score_captions
from evaluation.metrics.base import Batch
from evaluation.metrics.captions import CaptionScores
from evaluation.metrics.sentences import sentences_to_tensors, tensors_to_sentences
from motiongpt.errors import UserError
from tests.unit.cases import make_case

REFERENCES = {
    "kick": ("A man kicks with his left leg.", "the standing person kicks once with a foot"),
    "walk": ("a person walks forward, then turns around.",),
    "wave": ("someone waves the right hand", "a person waves hello", "A person is waving, twice."),
}
WRITTEN = {"kick": "a man kicks", "walk": "", "wave": "a person waves his hand\u2028\ud800é"}


def cases(written=None, references=REFERENCES):
    written = WRITTEN if written is None else written
    return [
        make_case(np.zeros((2, 22, 3)), name=name, captions=references[name], text=written[name])
        for name in references
    ]


def scores(*batches, **options):
    metric = CaptionScores(CocoBackEnd(), **options)
    for some, positions in batches:
        metric.update(Batch(cases=some, positions=positions))
    return {name: value.item() for name, value in metric.compute().items()}


@pytest.mark.parametrize("references", PROTOCOLS)
def test_they_are_those_of_the_back_end(references):
    expected = score_captions(REFERENCES, WRITTEN, PROTOCOLS[references], CocoBackEnd())["metrics"]
    assert scores((cases(), None), references=references) == expected


def test_sentences_equal_to_a_reference_have_perfect_overlap():
    perfect = scores((cases({name: own[0] for name, own in REFERENCES.items()}), None))
    assert [perfect[name] for name in ("bleu1", "bleu4", "rougeL")] == pytest.approx([1, 1, 1])


def test_batches_order_and_repetition_do_not_matter_with_positions():
    expected = scores((cases(), None))
    kick, walk, wave = cases()
    parts = [
        ([wave], torch.tensor([2])),
        ([kick, wave], torch.tensor([0, 2])),
        ([walk], torch.tensor([1])),
    ]
    assert scores(*parts) == expected
    assert scores(*((part, None) for part, _ in parts)) != expected


def test_clips_without_captions_are_left_out():
    nothing = make_case(np.zeros((2, 22, 3)), name="nothing", text="a man")
    expected = scores((cases(), None))
    assert scores(([nothing, *cases()], torch.arange(4))) == expected
    assert scores(([nothing], None)) == {} == scores(([], None))
    assert CaptionScores(CocoBackEnd()).kinds == {"text"}


def test_any_sentence_survives_as_bytes():
    rows = [["", "a man"], ["\ud800 \u2028", ""], ["é", "走る"]]
    content, lengths = sentences_to_tensors(rows, 2)
    assert tensors_to_sentences(content, lengths) == rows
    more, others = sentences_to_tensors([["x", "yz"]], 2)
    joined = tensors_to_sentences(torch.cat([content, more]), torch.cat([lengths, others]))
    assert joined == [*rows, ["x", "yz"]]
    assert tensors_to_sentences(*sentences_to_tensors([], 3)) == []


def test_its_numbers_are_those_that_the_back_end_computes():
    assert tuple(CaptionScores(CocoBackEnd()).numbers) == METRICS
    some = NlgMetricverseBackEnd(metrics=["rougeL", "cider"])
    assert tuple(CaptionScores(some).numbers) == ("rougeL", "cider")
    assert all(one.better == "higher" for one in CaptionScores(some).numbers.values())


def test_an_unknown_way_to_prepare_sentences_is_named():
    with pytest.raises(UserError, match="cooked: no such caption protocol"):
        CaptionScores(CocoBackEnd(), "cooked")
