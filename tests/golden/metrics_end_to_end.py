"""The end-to-end case of the metrics: batches to embeddings to all text-to-motion numbers.

Everything 1e-4, FID 1e-4 relative; orders of clips exact.
"""

import numpy as np
import torch
from torch import Tensor

from evaluation.evaluators.t2m_networks import T2MNetworks, T2MSizes
from evaluation.metrics.base import Batch
from evaluation.metrics.diversity import diversity
from evaluation.metrics.fid import FrechetDistance
from evaluation.metrics.multimodality import MultiModality
from evaluation.metrics.retrieval import Retrieval, shuffled
from tests.golden.report import ReadArrays, Report

TOLERANCE = 1e-4
NETWORKS = {
    "textencoder/": "text_encoder.",
    "moveencoder/": "movement_encoder.",
    "motionencoder/": "motion_encoder.",
}
REAL, GENERATED = "gtmotion", "recmotion"


def check_end_to_end(case: str, arrays: ReadArrays, report: Report) -> None:
    """Embeddings by the networks, numbers from the original's embeddings."""
    with torch.no_grad():
        if all(any(name.startswith(prefix) for name in arrays) for prefix in NETWORKS):
            networks = _networks(arrays)
            _check_embeddings(case, arrays, networks, report)
            if "result/MultiModality" in arrays:
                _check_multimodality(case, arrays, networks, report)
    _check_fid(case, "emb", "result/FID", arrays, report)
    _check_fid(case, "emb_packed", "result_packed/FID", arrays, report)
    _check_retrieval(case, arrays, report)
    _check_diversity(case, arrays, report)


def _networks(arrays: ReadArrays) -> T2MNetworks:
    state = {
        ours + name.removeprefix(theirs): torch.from_numpy(arrays[name])
        for theirs, ours in NETWORKS.items()
        for name in arrays
        if name.startswith(theirs)
    }
    networks = T2MNetworks(T2MSizes.of_state(state))
    networks.load_state_dict(state)
    return networks.eval()


def _check_embeddings(case: str, arrays: ReadArrays, networks: T2MNetworks, report: Report) -> None:
    found: dict[str, list[Tensor]] = {}
    for at in _numbered("batch", arrays):
        words, categories, n_words = _tensors(
            arrays, f"{at}word_embs", f"{at}pos_ohot", f"{at}text_lengths"
        )
        texts = networks.embed_text(words, categories, n_words)
        found.setdefault("emb/text", []).append(texts)
        for name, features, lengths in (
            (REAL, "feats_ref", "lengths_ref"),
            (GENERATED, "feats_rst", "lengths_rst"),
        ):
            motions, n_frames = _tensors(arrays, at + features, at + lengths)
            unpacked = networks.embed_motion(motions, None)
            packed = networks.embed_motion(motions, n_frames)
            found.setdefault(f"emb/{name}", []).append(unpacked)
            found.setdefault(f"emb_packed/{name}", []).append(packed)
    for name, batches in found.items():
        if name in arrays:
            report.compare(case, name, torch.cat(batches), arrays[name], atol=TOLERANCE)


def _check_multimodality(
    case: str, arrays: ReadArrays, networks: T2MNetworks, report: Report
) -> None:
    metric = MultiModality(int(arrays["mm_times"]), int(arrays["numpy_seed_of_multimodality"]))
    for at in _numbered("mm", arrays):
        motions, lengths = _tensors(arrays, f"{at}feats_rst", f"{at}lengths")
        # The released way counts padding as motion, so that lengths only tell how many there are.
        if len(lengths) != len(motions):
            raise ValueError(f"{at}lengths holds {len(lengths)} for {len(motions)} motions")
        metric.update(Batch(embeddings={"samples": networks.embed_motion(motions, None)[None]}))
    name = "result/MultiModality"
    found = metric.compute()["multimodality"]
    report.compare(case, name, found, arrays[name], atol=TOLERANCE)


def _check_fid(case: str, embeddings: str, result: str, arrays: ReadArrays, report: Report) -> None:
    if result not in arrays:
        return
    metric = FrechetDistance()
    real, generated = _tensors(arrays, f"{embeddings}/{REAL}", f"{embeddings}/{GENERATED}")
    metric.update(Batch(embeddings={"reference": real}))
    metric.update(Batch(embeddings={"motion": generated}))
    report.compare(case, result, metric.compute()["fid"], arrays[result], rtol=TOLERANCE)


def _check_retrieval(case: str, arrays: ReadArrays, report: Report) -> None:
    """The released distances, and ours, which say the same where none is NaN."""
    seed = int(arrays["torch_seed_of_shuffle"])
    for prefix, motion in (("", GENERATED), ("gt_", REAL)):
        texts, motions = _tensors(arrays, "emb/text", f"emb/{motion}")
        for distances in ("released", "expanded", "euclidean"):
            metric = Retrieval(seed=seed, distances=distances)
            metric.update(Batch(embeddings={"caption": texts, "motion": motions}))
            found = metric.compute()
            names = {
                f"{prefix}Matching_score": found["mm_dist"],
                **{f"{prefix}R_precision_top_{k}": found[f"r_top{k}"] for k in (1, 2, 3)},
            }
            for name in (name for name in names if f"result/{name}" in arrays):
                expected = arrays[f"result/{name}"]
                label = f"result/{name}, {distances}"
                report.compare(case, label, names[name], expected, atol=TOLERANCE)


def _check_diversity(case: str, arrays: ReadArrays, report: Report) -> None:
    """Over the shuffled clips; generated first, then real with the same generator."""
    order = shuffled(arrays.shape("emb/text")[0], int(arrays["torch_seed_of_shuffle"]))
    if "shuffle_idx" in arrays:
        report.exact(case, "shuffle_idx", order, arrays["shuffle_idx"])
    pairs = int(arrays["diversity_times"])
    random = np.random.RandomState(int(arrays["numpy_seed_of_diversity"]))
    for name, motion in (("result/Diversity", GENERATED), ("result/gt_Diversity", REAL)):
        (motions,) = _tensors(arrays, f"emb/{motion}")
        found = diversity(motions[order], pairs, random)
        if name in arrays:
            report.compare(case, name, found, arrays[name], atol=TOLERANCE)


def _numbered(name: str, arrays: ReadArrays) -> list[str]:
    """`name`0/, `name`1/ ... as far as the arrays go."""
    found = []
    while any(key.startswith(f"{name}{len(found)}/") for key in arrays):
        found.append(f"{name}{len(found)}/")
    return found


def _tensors(arrays: ReadArrays, *names: str) -> list[Tensor]:
    return [torch.from_numpy(arrays[name]) for name in names]
