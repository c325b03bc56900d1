import math

import numpy as np
import pytest
import torch

from evaluation.metrics.base import Batch
from evaluation.metrics.diversity import Diversity, draw_pairs
from evaluation.metrics.embeddings import (
    euclidean_distances,
    expanded_distances,
    released_distances,
)
from evaluation.metrics.fid import FrechetDistance, fit_gaussian, frechet_distance
from evaluation.metrics.multimodality import MultiModality
from evaluation.metrics.retrieval import Retrieval, match_ranks, text_retrieval
from motiongpt.errors import UserError


def gaussian(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def batch(positions=None, **embeddings):
    return Batch(embeddings=embeddings, positions=positions)


def fid(real, generated):
    metric = FrechetDistance()
    metric.update(batch(reference=real))
    metric.update(batch(motion=generated))
    return metric.compute()["fid"].item()


def retrieval(queries, candidates, **options):
    metric = Retrieval(**options)
    metric.update(batch(caption=queries, motion=candidates))
    return {name: value.item() for name, value in metric.compute().items()}


def diversity(embeddings, **options):
    metric = Diversity(**options)
    metric.update(batch(motion=embeddings))
    return metric.compute()["diversity"].item()


def multimodality(embeddings, **options):
    metric = MultiModality(**options)
    metric.update(batch(samples=embeddings))
    return metric.compute()["multimodality"].item()


@pytest.mark.parametrize("n_clips", [1000, 40])
def test_fid_of_equal_sets_is_nothing(n_clips):
    clips = 10 * gaussian(n_clips, 64) + 5
    assert fid(clips, clips) < 1e-6
    assert fid(clips, clips.flip(0)) < 1e-6


@pytest.mark.parametrize("n_clips", [1000, 40])
def test_fid_of_a_shifted_and_stretched_set_is_known(n_clips):
    clips = gaussian(n_clips, 64).double()
    shift = torch.linspace(-1, 2, 64).double()
    assert fid(clips, clips + shift) == pytest.approx(shift.square().sum().item(), rel=1e-9)
    variance = clips.var(0).sum().item()
    stretched = clips.mean(0) + 3 * (clips - clips.mean(0))
    assert fid(clips, stretched) == pytest.approx((3 - 1) ** 2 * variance, rel=1e-9)


def test_fid_of_commuting_and_of_turned_covariances():
    one, other = (fit_gaussian(gaussian(50, 2, seed=s)) for s in (1, 2))
    zero = torch.zeros(2).double()
    diagonal = [
        one._replace(mean=zero, covariance=torch.diag(torch.tensor(d).double()))
        for d in ([4.0, 9.0], [1.0, 0.0])
    ]
    assert frechet_distance(*diagonal).item() == pytest.approx((2 - 1) ** 2 + 3**2)
    # For 2 x 2: tr √(AB) = √(tr AB + 2 √(det A det B)).
    a, b = one.covariance, other.covariance
    root = ((a @ b).trace() + 2 * (a.det() * b.det()).sqrt()).sqrt()
    expected = (one.mean - other.mean).square().sum() + a.trace() + b.trace() - 2 * root
    assert frechet_distance(one, other).item() == pytest.approx(expected.item(), rel=1e-9)


def test_fid_of_singular_covariances_keeps_its_digits():
    one, other = gaussian(40, 64).double(), 3 * gaussian(30, 64, seed=1).double() + 1
    # tr √(C1 C2) from the clips themselves: singular values of their centred, scaled product.
    here, there = ((x - x.mean(0)) / math.sqrt(len(x) - 1) for x in (one, other))
    expected = (
        (one.mean(0) - other.mean(0)).square().sum()
        + here.square().sum()
        + there.square().sum()
        - 2 * torch.linalg.svdvals(here @ there.T).sum()
    )
    assert fid(one, other) == pytest.approx(expected.item(), rel=1e-12)
    assert fid(other, one) == pytest.approx(expected.item(), rel=1e-12)


def test_retrieval_of_perfect_pairs():
    clips = gaussian(70, 8)
    found = retrieval(clips, clips.clone())
    assert found == {"r_top1": 1.0, "r_top2": 1.0, "r_top3": 1.0, "mm_dist": 0.0}


def test_retrieval_of_permuted_captions_is_chance():
    clips = gaussian(32 * 60, 8)
    order = torch.randperm(len(clips), generator=torch.Generator().manual_seed(1))
    found = retrieval(clips, clips[order])
    for k in (1, 2, 3):
        chance = k / 32
        spread = math.sqrt(chance * (1 - chance) / len(clips))
        assert abs(found[f"r_top{k}"] - chance) < 4 * spread


def test_equal_embeddings_score_as_chance():
    clips = torch.ones(64, 8)
    found = retrieval(clips, clips)
    assert [found[f"r_top{k}"] for k in (1, 2, 3)] == [1 / 32, 2 / 32, 3 / 32]


def test_each_query_ranks_the_candidates_of_its_own_pool():
    # On a line: query 0 is nearest to candidate 1, query 1 to its own, query 2 is third.
    queries, candidates = (torch.tensor(x).reshape(-1, 1) for x in ([1.0, 1.1, 0.0], [0.0, 1.0, 5]))
    found = retrieval(queries, candidates, pool=3, seed=None)
    assert found["r_top1"] == pytest.approx(1 / 3)
    assert found["r_top2"] == pytest.approx(2 / 3)
    assert found["r_top3"] == 1
    assert found["mm_dist"] == pytest.approx((1 + 0.1 + 5) / 3)


def test_pairs_beyond_the_last_pool_are_left_out():
    clips = gaussian(40, 8)
    wrong = clips.clone()
    wrong[32:] += 100
    assert retrieval(clips, wrong, seed=None)["mm_dist"] == 0


def test_shuffle_seed_is_that_of_torch():
    clips, others = gaussian(100, 8), gaussian(100, 8, seed=1)
    torch.manual_seed(55)
    order = torch.randperm(100)
    assert retrieval(clips, others, seed=55) == retrieval(clips[order], others[order], seed=None)
    assert retrieval(clips, others, seed=55) != retrieval(clips, others, seed=56)


def test_distances_that_round_to_nan_rank_first_only_as_released():
    clips = 100 + 1e-4 * gaussian(1, 40, 64)
    expanded = expanded_distances(clips, clips)
    assert expanded.isnan().any()
    broken = expanded.diagonal(dim1=-2, dim2=-1).isnan()
    assert broken.any()
    assert not euclidean_distances(clips, clips).isnan().any()
    distances = torch.tensor([[float("nan"), 1.0], [1.0, 2.0]])
    assert match_ranks(distances).tolist() == [1, 1]
    assert match_ranks(distances.nan_to_num()).tolist() == [0, 1]
    assert (released_distances(clips, clips).diagonal(dim1=-2, dim2=-1)[broken] == 0).all()


def test_diversity_is_the_mean_distance_of_the_drawn_pairs():
    clips = gaussian(400, 16)
    np.random.seed(5)
    first, second = (np.random.choice(400, 300, replace=False) for _ in range(2))
    expected = np.linalg.norm(clips.numpy()[first] - clips.numpy()[second], axis=1).mean()
    assert diversity(clips, seed=5) == pytest.approx(expected, rel=1e-6)
    assert diversity(clips, seed=6) != diversity(clips, seed=5)
    assert diversity(torch.ones(300, 4)) == 0


def test_multimodality_draws_the_same_pairs_for_all_texts():
    motions = gaussian(7, 30, 16)
    first, second = draw_pairs(30, 10, np.random.RandomState(3))
    expected = np.mean(
        [
            [(text[a] - text[b]).norm() for a, b in zip(first, second, strict=True)]
            for text in motions
        ]
    )
    assert multimodality(motions, seed=3) == pytest.approx(expected, rel=1e-6)
    assert multimodality(motions[:, :1].expand(-1, 30, -1)) == 0


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: retrieval(gaussian(31, 4), gaussian(31, 4)), "at least 32 clips, there are 31"),
        (lambda: diversity(gaussian(299, 4)), "at least 300 clips, there are 299"),
        (lambda: multimodality(gaussian(5, 9, 4)), "at least 10 motions of each text, there are 9"),
        (lambda: multimodality(gaussian(5, 4)), "texts, motions of each, width"),
        (lambda: fid(gaussian(1, 4), gaussian(9, 4)), "at least 2 clips"),
        (lambda: retrieval(gaussian(40, 4), gaussian(39, 4)), "each query needs its match"),
        (lambda: retrieval(gaussian(40, 4), gaussian(40, 5)), "each query needs its match"),
        (lambda: Diversity().compute(), "has no embeddings 'motion'"),
        (lambda: Diversity().update(batch(torch.arange(2), motion=gaussian(3, 4))), "2 positions for 3"),
        (lambda: Diversity().update(batch(caption=gaussian(3, 4))), "this batch has caption"),
        (lambda: FrechetDistance().update(batch()), "this batch has none"),
        (lambda: Retrieval(distances="manhattan"), "choose one of euclidean, expanded, released"),
        (lambda: text_retrieval("captions"), "choose one of motions, texts"),
    ],
)  # fmt: skip
@pytest.mark.filterwarnings("ignore:The ``compute`` method")
def test_what_cannot_be_measured_is_said_in_one_line(call, words):
    with pytest.raises(UserError, match=words) as raised:
        call()
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_embeddings_that_are_not_finite_are_refused(value):
    good, bad = gaussian(320, 4), gaussian(320, 4)
    bad[17, 2] = value
    for call in (
        lambda: fid(good, bad),
        lambda: fid(bad, good),
        lambda: retrieval(good, bad),
        lambda: retrieval(bad, good),
        lambda: diversity(bad),
        lambda: multimodality(bad.reshape(320 // 20, 20, 4)),
    ):
        with pytest.raises(
            UserError, match=r"1 of \d+ embeddings '\w+' are not finite, the first is number"
        ) as raised:
            call()
        assert "\n" not in str(raised.value)


def test_without_places_every_row_counts_and_both_ways_cannot_mix():
    clips = gaussian(300, 4)
    metric = Diversity()
    metric.update(batch(motion=clips[:150]))
    metric.update(batch(motion=clips[:150]))
    assert len(metric.gathered_set("motion")) == 300
    metric.update(batch(torch.arange(5), motion=clips[:5]))
    with pytest.raises(UserError, match="came with positions and some without"):
        metric.compute()


def test_metrics_start_again_after_reset():
    metric = Diversity(pairs=10)
    metric.update(batch(motion=100 * gaussian(20, 4)))
    metric.compute()
    metric.reset()
    metric.update(batch(motion=torch.ones(20, 4)))
    assert metric.compute()["diversity"] == 0


def test_a_new_seed_draws_anew_from_the_same_clips():
    clips = gaussian(400, 16)
    metric = Diversity(seed=1)
    metric.update(batch(motion=clips))
    first = metric.compute()["diversity"]
    metric.seed = 2
    assert first != metric.compute()["diversity"] == diversity(clips, seed=2)


def test_sentences_are_asked_for_by_motions_or_the_other_way_round():
    motions, sentences = gaussian(64, 8), gaussian(64, 8, seed=1)
    found = {}
    for ask in ("motions", "texts"):
        metric = text_retrieval(ask)
        assert metric.kinds == {"text"} and metric.needs == {"reference", "sentence"}
        metric.update(batch(reference=motions, sentence=sentences))
        found[ask] = {name: value.item() for name, value in metric.compute().items()}
    assert found["motions"] == retrieval(motions, sentences)
    assert found["texts"] == retrieval(sentences, motions)
    assert found["motions"]["mm_dist"] == pytest.approx(found["texts"]["mm_dist"])
    assert Retrieval().kinds == {"motion"}
