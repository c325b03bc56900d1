"""Golden vectors of the metrics: a case is recognised by the arrays it holds.

Here those of embeddings; joints are in `metrics_joints`, all in one in `metrics_end_to_end`.
"""

from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from evaluation.metrics.base import Batch
from evaluation.metrics.diversity import Diversity, draw_pairs
from evaluation.metrics.embeddings import euclidean_distances, expanded_distances
from evaluation.metrics.fid import FrechetDistance, fit_gaussian
from evaluation.metrics.multimodality import MultiModality
from evaluation.metrics.retrieval import TOP, Retrieval, hits_within, match_ranks, split_into_pools
from tests.golden.metrics_end_to_end import check_end_to_end
from tests.golden.metrics_joints import check_joints, check_padded_batch
from tests.golden.report import ReadArrays, Report

SELF_FID = 1e-4
DISTANCES = 1e-4
# The original's mean of float32 embeddings, which are numbers around 1.
MEAN = 1e-6


def check(path: Path, arrays: ReadArrays, report: Report, data: Path) -> None:
    """Check one file, whichever of the known arrays it holds."""
    case = f"metrics/{path.name}"
    checks = {
        "feats_gt": _check_fid,
        "motion_embeddings": _check_retrieval,
        "activation": _check_diversity,
        "mm_activation": _check_multimodality,
        "pred": check_joints,
        "emb/text": check_end_to_end,
    }
    known = [one for name, one in checks.items() if name in arrays]
    if not known and "feats_rst" not in arrays:
        report.unchecked(case, ", ".join(sorted(arrays)[:5]), "no known case holds these arrays")
    for one in known:
        one(case, arrays, report)
    if "feats_rst" in arrays:
        check_padded_batch(case, arrays, report, data)


def _check_fid(case: str, arrays: ReadArrays, report: Report) -> None:
    """1e-6 relative, 1e-5 where there are fewer clips than dimensions."""
    real, generated = _tensors(arrays, "feats_gt", "feats_gen")
    rtol = 1e-5 if len(real) <= real.shape[1] else 1e-6
    if "mu_gt_f64" in arrays:
        report.compare(case, "mu_gt_f64", fit_gaussian(real).mean, arrays["mu_gt_f64"], atol=MEAN)
    pairs = {
        "fid_gt_vs_gen_f64": (real, generated),
        "fid_gen_vs_gt_f64": (generated, real),
        "fid_float64_eigh_f64": (real, generated),
    }
    for name in (name for name in pairs if name in arrays):
        report.compare(case, name, _fid(*pairs[name]), arrays[name], rtol=rtol)
    name = "fid_gt_vs_itself_f64"
    if name in arrays:
        report.compare(case, name, _fid(real, real), arrays[name], atol=SELF_FID)


def _fid(real: Tensor, generated: Tensor) -> Tensor:
    metric = FrechetDistance()
    metric.update(Batch(embeddings={"motion": generated, "reference": real}))
    return metric.compute()["fid"]


def _check_retrieval(case: str, arrays: ReadArrays, report: Report) -> None:
    """Distances 1e-4, hits exact."""
    texts, motions = _tensors(arrays, "text_embeddings", "motion_embeddings")
    pool = arrays.shape("dist")[-1]
    in_pools = split_into_pools(texts, pool), split_into_pools(motions, pool)
    for name in ("dist", "dist_np"):
        if name in arrays:
            for way in (euclidean_distances, expanded_distances):
                found = way(*in_pools)
                report.compare(case, f"{name}, {way.__name__}", found, arrays[name], atol=DISTANCES)
    hits = hits_within(match_ranks(euclidean_distances(*in_pools)), TOP)
    report.exact(case, "top_k", hits, arrays["top_k"])
    metric = Retrieval(pool=pool, seed=None)
    metric.update(Batch(embeddings={"caption": texts, "motion": motions}))
    found = metric.compute()
    precision = torch.stack([found[f"r_top{k + 1}"] for k in range(TOP)])
    report.compare(case, "r_precision", precision, arrays["r_precision"], atol=1e-7)
    matching = arrays["matching_score"]
    report.compare(case, "matching_score", found["mm_dist"], matching, atol=DISTANCES)


def _check_diversity(case: str, arrays: ReadArrays, report: Report) -> None:
    """Pairs exact, value 1e-5 relative."""
    (embeddings,) = _tensors(arrays, "activation")
    pairs, seed = int(arrays["diversity_times"]), int(arrays["seed_diversity"])
    _check_pairs(case, ("div_first", "div_second"), len(embeddings), pairs, seed, arrays, report)
    metric = Diversity(pairs, seed)
    metric.update(Batch(embeddings={"motion": embeddings}))
    found = metric.compute()["diversity"]
    report.compare(case, "diversity", found, arrays["diversity"], rtol=1e-5)


def _check_multimodality(case: str, arrays: ReadArrays, report: Report) -> None:
    """Pairs exact, value 1e-5 relative."""
    (embeddings,) = _tensors(arrays, "mm_activation")
    pairs, seed = int(arrays["mm_times"]), int(arrays["seed_mm"])
    _check_pairs(case, ("mm_first", "mm_second"), embeddings.shape[1], pairs, seed, arrays, report)
    metric = MultiModality(pairs, seed)
    metric.update(Batch(embeddings={"samples": embeddings}))
    found = metric.compute()["multimodality"]
    report.compare(case, "multimodality", found, arrays["multimodality"], rtol=1e-5)


def _check_pairs(
    case: str,
    names: tuple[str, str],
    count: int,
    pairs: int,
    seed: int,
    arrays: ReadArrays,
    report: Report,
) -> None:
    drawn = draw_pairs(count, pairs, np.random.RandomState(seed))
    for name, half in zip(names, drawn, strict=True):
        if name in arrays:
            report.exact(case, name, half, arrays[name])


def _tensors(arrays: ReadArrays, *names: str) -> list[Tensor]:
    return [torch.from_numpy(arrays[name]) for name in names]
