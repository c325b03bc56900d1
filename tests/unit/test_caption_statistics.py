"""What clips add to corpus scores: summed over all clips it gives the packages' own scores."""

import json
import random

import numpy as np
import pytest

from evaluation.captions.bert import BertScoreBackEnd
from evaluation.captions.clip_statistics import bleu_statistics, mean_statistics
from evaluation.captions.coco import CocoBackEnd
from evaluation.captions.court.bootstrap import interval, paired_p, resampled_scores
from evaluation.captions.nlg_metricverse import NlgMetricverseBackEnd
from tests.shared import shared
from tests.unit.tiny_roberta import save_tiny_roberta

WORDS = [
    "a",
    "the",
    "person",
    "man",
    "walks",
    "kicks",
    "left",
    "hand",
    "slowly,",
    "forward.",
    "Then",
]


def corpus(clips, seed=0):
    """Random references, three a clip, and predictions that share words with them."""
    rng = random.Random(seed)
    references = [
        [" ".join(rng.choices(WORDS, k=rng.randint(1, 9))) for _ in range(3)] for _ in range(clips)
    ]
    predictions = [
        " ".join([*one[0].split()[: rng.randint(0, 6)], *rng.choices(WORDS, k=rng.randint(0, 3))])
        for one in references
    ]
    return references, predictions


@pytest.fixture(scope="module")
def sentences():
    references, predictions = corpus(60)
    # Not the first: nlg-metricverse's BLEU looks at that one's first word.
    return references, [predictions[0], "", *predictions[2:]]


@pytest.fixture(scope="module")
def script(tmp_path_factory):
    """Stands for the script that nlg-metricverse downloads: corpus BLEU of lists of words."""
    path = tmp_path_factory.mktemp("bleu") / "bleu.py"
    path.write_text(SCRIPT)
    return path


SCRIPT = """
from collections import Counter
from math import exp, log

def grams(words, order):
    return Counter(tuple(words[i:i + order]) for i in range(len(words) - order + 1))

def compute_bleu(reference_corpus, translation_corpus, max_order=4, smooth=False):
    shares = []
    for order in range(1, max_order + 1):
        match = total = 0
        for captions, words in zip(reference_corpus, translation_corpus):
            most = Counter()
            for caption in captions:
                most |= grams(caption, order)
            match += (most & grams(words, order)).total()
            total += max(0, len(words) - order + 1)
        shares.append(match / total if total else 0.0)
    wanted = sum(min(map(len, captions)) for captions in reference_corpus)
    found = sum(map(len, translation_corpus))
    ratio = found / wanted
    mean = exp(sum(map(log, shares)) / max_order) if min(shares) > 0 else 0
    return mean * (1 if ratio > 1 else exp(1 - 1 / ratio)), shares, 0, ratio, found, wanted
"""


def check(back_end, sentences, **tolerance):
    found = back_end.clip_statistics(*sentences, back_end.metrics)
    expected = back_end.score(*sentences)
    assert set(found) == set(expected) == set(back_end.metrics)
    for metric, one in found.items():
        assert len(one.values) == len(sentences[1])
        assert one.whole == pytest.approx(expected[metric], **tolerance), metric


def test_coco(sentences):
    check(CocoBackEnd(), sentences, abs=1e-12)
    only = CocoBackEnd().clip_statistics(*sentences, ["cider"])
    assert list(only) == ["cider"]


def test_nlg_metricverse(sentences, script):
    check(NlgMetricverseBackEnd(["bleu1", "bleu4", "cider"], str(script)), sentences, abs=1e-12)
    # Its ROUGE-L is the median of 1,000 bootstrap means.
    check(NlgMetricverseBackEnd(["rougeL"]), sentences, abs=0.01)


def test_bert_score(sentences, tmp_path):
    folder = save_tiny_roberta(tmp_path / "roberta")
    check(BertScoreBackEnd(layers=2, folder=str(folder)), sentences, rel=1e-6)


def test_drawing_clips_anew_is_scoring_them_anew(sentences):
    """BLEU from summed counts is the package's BLEU of the drawn clips, clip by clip."""
    back_end, (references, predictions) = CocoBackEnd(), sentences
    names = ["bleu1", "bleu4", "rougeL"]  # CIDEr keeps the weights of words of all references
    found = back_end.clip_statistics(references, predictions, names)
    scores = resampled_scores([found[name] for name in names], 3, seed=5)
    rng = np.random.default_rng(5)
    for draw in range(3):
        counts = rng.multinomial(len(references), np.full(len(references), 1 / len(references)))
        drawn = np.repeat(np.arange(len(references)), counts)
        expected = back_end.score(
            [references[clip] for clip in drawn], [predictions[clip] for clip in drawn]
        )
        assert scores[:, draw] == pytest.approx([expected[name] for name in names], abs=1e-12)


def test_drawings_do_not_depend_on_the_chunks(sentences, monkeypatch):
    statistics = list(CocoBackEnd().clip_statistics(*sentences, ["bleu4", "cider"]).values())
    whole = resampled_scores(statistics, 7, seed=1)
    monkeypatch.setattr("evaluation.captions.court.bootstrap.CHUNK", 3)
    assert resampled_scores(statistics, 7, seed=1) == pytest.approx(whole, abs=1e-12)
    assert not np.allclose(resampled_scores(statistics, 7, seed=2), whole)


def test_nothing_written_at_all_scores_nothing():
    counts = np.array([[0.0] * 8 + [5.0, 0.0]])
    for constants in ((0.0, 0.0), (1e-15, 1e-9)):
        assert bleu_statistics(counts, 4, *constants).whole == pytest.approx(0, abs=1e-9)


def test_intervals_cover_the_mean_as_often_as_they_say():
    """The mean of 200 exponential numbers lies within its 90 % interval in about 90 % of tries."""
    rng = np.random.default_rng(0)
    hits = 0
    for _ in range(200):
        scores = resampled_scores([mean_statistics(rng.exponential(size=200))], 300, seed=1)
        low, high = interval(scores[0], 0.9)
        hits += low <= 1 <= high
    assert 165 <= hits <= 195


def test_p_is_even_where_there_is_no_difference_and_small_where_there_is():
    rng = np.random.default_rng(0)

    def p(shift):
        pair = rng.normal(size=(2, 300)) + [[shift], [0.0]]
        first, second = resampled_scores([mean_statistics(one) for one in pair], 400, seed=2)
        return paired_p(first - second)

    none = np.array([p(0.0) for _ in range(200)])
    assert 2 <= (none < 0.05).sum() <= 20 and 80 <= (none < 0.5).sum() <= 120
    assert p(1.0) == pytest.approx(2 / 401) and paired_p(np.zeros(10)) == 1


@pytest.mark.long
@pytest.mark.slow
@pytest.mark.parametrize("system", ["tm2t", "motiongpt"])
def test_real_captions(system):
    rows = [
        json.loads(line)
        for line in shared("data", "captions", "humanml3d_test_captions.jsonl").open()
    ]
    sentences = (
        [row["references"][:3] for row in rows],
        [row["predictions"][system] for row in rows],
    )
    check(CocoBackEnd(), sentences, abs=1e-12)
    check(NlgMetricverseBackEnd(["rougeL", "cider"]), sentences, abs=5e-4)
