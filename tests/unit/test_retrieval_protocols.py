"""TMR's retrieval protocols on embeddings whose ranks are known."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch

from evaluation.metrics.base import Batch
from evaluation.metrics.match_ranks import (
    alike_texts,
    both_ways,
    dissimilar,
    match_ranks,
    recall,
    shuffled_pools,
)
from evaluation.metrics.numbers import Size
from evaluation.metrics.retrieval_protocols import PROTOCOLS, ProtocolRetrieval
from motiongpt.errors import UserError


def test_ranks_of_matches():
    similarities = np.array([[0.9, 0.1, 0.25], [0.8, 0.5, 0.6], [0.1, 0.3, 0.2]])
    assert match_ranks(similarities).tolist() == [0, 2, 1]
    assert match_ranks(similarities.T).tolist() == [0, 0, 2]


def test_equal_similarities_share_their_mean_rank_and_then_all_do():
    similarities = np.array([[0.5, 0.5, 0.1], [0.9, 0.8, 0.1], [0.2, 0.1, 0.9]])
    assert match_ranks(similarities).tolist() == [0.5, 1.0, 0.0]
    assert match_ranks(similarities, ties="first").tolist() == [0, 1, 0]
    assert recall(match_ranks(np.ones((9, 9))))["medr"] == 5.0


def test_what_means_the_same_counts_as_found():
    similarities = np.array([[0.1, 0.9, 0.5], [0.1, 0.9, 0.5], [0.2, 0.3, 0.4]])
    sentences = np.array([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
    assert match_ranks(similarities).tolist() == [2, 0, 0]
    alike = alike_texts(sentences, 0.95)
    assert alike.tolist() == [[True, True, False], [True, True, False], [False, False, True]]
    assert match_ranks(similarities, alike).tolist() == [0, 0, 0]
    assert both_ways(similarities, alike)["t2m"]["r1"] == 100.0


def test_pools_take_each_item_once_and_leave_the_rest_out():
    pools = shuffled_pools(70, 32)
    assert pools.shape == (2, 32) and len(np.unique(pools)) == 64
    np.testing.assert_array_equal(pools, shuffled_pools(70, 32))
    assert not np.array_equal(pools, shuffled_pools(70, 32, seed=1))


def test_dissimilar_texts_are_far_from_each_other():
    rng = np.random.default_rng(0)
    centres = np.eye(6)
    sentences = np.repeat(centres, 5, axis=0) + 0.01 * rng.normal(size=(30, 6))
    sentences /= np.linalg.norm(sentences, axis=1, keepdims=True)
    chosen = dissimilar(sentences, 6)
    assert sorted(chosen // 5) == [0, 1, 2, 3, 4, 5]
    assert dissimilar(sentences, 30).tolist() == list(range(30))


def embeddings(count=64, seed=0):
    rng = np.random.default_rng(seed)
    captions = rng.normal(size=(count, 8)).astype(np.float32)
    motions = captions + 0.7 * rng.normal(size=captions.shape).astype(np.float32)
    return {"caption": torch.from_numpy(captions), "motion": torch.from_numpy(motions)}


def computed(found, positions=None, **settings):
    metric = ProtocolRetrieval(dissimilar=20, **settings)
    for rows in (slice(0, 40), slice(40, None)):
        part = {name: values[rows] for name, values in found.items()}
        here = None if positions is None else positions[rows]
        metric.update(Batch(embeddings=part, positions=here))
    return metric, {name: float(value) for name, value in metric.compute().items()}


def test_all_numbers_are_there_and_fewer_candidates_are_easier():
    metric, found = computed(embeddings())
    assert set(found) == set(metric.numbers) and len(found) == len(PROTOCOLS) * 12
    for way in ("t2m", "m2t"):
        assert 0 < found[f"all_{way}_r1"] <= found[f"pools_{way}_r1"] < 100
        assert found[f"all_{way}_r1"] <= found[f"threshold_{way}_r1"]
        assert found[f"all_{way}_r1"] < found[f"dissimilar_{way}_r1"]
        assert found[f"all_{way}_medr"] >= 1


def test_similarity_is_the_cosine_and_a_clip_counts_once():
    plain, positions = embeddings(), torch.arange(64)
    longer = {name: values * (1 + torch.arange(64))[:, None] for name, values in plain.items()}
    _, found = computed(plain)
    _, scaled = computed(longer)
    assert scaled == pytest.approx(found)
    twice = {name: torch.cat([values, values[:7]]) for name, values in plain.items()}
    _, once = computed(twice, torch.cat([positions, positions[:7]]))
    assert once == found


class Fixed:
    """A text encoder by name of the caption."""

    def encode(self, texts):
        return torch.tensor([[1.0, 0.0] if "same" in text else [0.0, 1.0] for text in texts])


def test_a_sentence_encoder_tells_captions_apart():
    said = ("the same", "the same again", "another")
    cases = [SimpleNamespace(caption=caption) for caption in said]
    metric = ProtocolRetrieval(["threshold"], sentence_encoder=lambda texts, seed, log: Fixed())
    captions = torch.tensor([[1.0, 0.0], [0.8, 0.6], [0.0, 1.0]])
    motions = captions[[1, 0, 2]]
    metric.update(Batch(cases=cases, embeddings={"caption": captions, "motion": motions}))
    assert float(metric.compute()["threshold_t2m_r1"]) == 100.0
    with pytest.raises(UserError, match="got 1 captions and 3 embeddings"):
        metric.update(Batch(cases=cases[:1], embeddings={"caption": captions, "motion": motions}))


def test_too_few_clips_are_said_ahead_and_unknown_protocols_refused():
    metric = ProtocolRetrieval()
    assert "dissimilar needs at least 100 clips, there are 40" in metric.shortage(Size(40))
    few = ProtocolRetrieval(["pools"], pool=32)
    assert "choose fewer as metrics.retrieval_protocols.pool=20" in few.shortage(Size(20))
    assert not few.shortage(Size(32)) and not ProtocolRetrieval(["all"]).shortage(Size(2))
    with pytest.raises(UserError, match="has everything; choose of all, threshold"):
        ProtocolRetrieval(["everything"])
