"""Golden vectors of the T2M evaluator's networks: everything within 1e-5, names and shapes equal.

Embeddings are computed twice where that can be: from the padded batch by the networks, and from
single clips by the evaluator as a user calls it.
"""

import re
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from evaluation.evaluators.t2m_evaluator import T2MEvaluator
from evaluation.evaluators.t2m_networks import N_CONTACTS, T2MNetworks, T2MSizes
from evaluation.evaluators.t2m_weights import NETWORKS
from evaluation.evaluators.word_vectors import WordVectors
from tests.golden.report import ReadArrays, Report

ATOL = 1e-5
WEIGHTS = "sd/"
PADDED = re.compile(r"motion_emb_(released_unpacked|t2m_packed)(?:_padded_to_(\d+))?")


def check(path: Path, arrays: Any, report: Report, data: Path) -> None:
    """Check one file, whichever of the known arrays it holds."""
    case = f"evaluator/{path.name}"
    if path.suffix == ".json":
        _check_shapes(case, arrays, report)
        return
    if not any(name.startswith(WEIGHTS) for name in arrays):
        report.unchecked(case, path.name, "holds no weights of the networks")
        return
    networks = _networks(arrays)
    with torch.no_grad():
        if "motions" in arrays:
            _check_motions(case, arrays, networks, report)
        if "word_embs" in arrays:
            _check_texts(case, arrays, networks, report)
        if "wrapper/motions" in arrays:
            _check_wrapper(case, arrays, networks, report)


def _networks(arrays: ReadArrays) -> T2MNetworks:
    state = {
        name.removeprefix(WEIGHTS).replace("/", "."): torch.from_numpy(arrays[name])
        for name in arrays
        if name.startswith(WEIGHTS)
    }
    networks = T2MNetworks(T2MSizes.of_state(state))
    networks.load_state_dict(state)
    return networks.eval()


def _check_shapes(case: str, expected: dict[str, dict[str, list[int]]], report: Report) -> None:
    """Names and shapes of the published sizes, at the width of motion that the file has."""
    convolution = expected.get("movement_encoder", {}).get("main.0.weight")
    sizes = T2MSizes(n_features=convolution[1] + N_CONTACTS) if convolution else T2MSizes()
    with torch.device("meta"):
        networks = T2MNetworks(sizes)
    for part in sorted({*expected, *NETWORKS}):
        network = getattr(networks, part) if part in NETWORKS else None
        state = network.state_dict() if network else {}
        found = {name: list(tensor.shape) for name, tensor in state.items()}
        for name in sorted({*found, *expected.get(part, {})}):
            wanted = expected.get(part, {}).get(name)
            report.exact(case, f"{part}.{name}", found.get(name), wanted)


def _check_motions(case: str, arrays: ReadArrays, networks: T2MNetworks, report: Report) -> None:
    motions = torch.from_numpy(arrays["motions"])
    if "movement_out" in arrays:
        found = networks.movement_encoder(motions)
        report.compare(case, "movement_out", found, arrays["movement_out"], atol=ATOL)
    for name in arrays:
        match = PADDED.fullmatch(name)
        if match is None:
            continue
        frames = int(match[2] or motions.shape[1])
        padded = torch.nn.functional.pad(motions, (0, 0, 0, frames - motions.shape[1]))
        packed = match[1] == "t2m_packed"
        lengths = torch.from_numpy(arrays["motion_lens"]) if packed else None
        found = networks.embed_motion(padded, lengths)
        report.compare(case, name, found, arrays[name], atol=ATOL)
        if packed or not match[2]:
            clips = _clips(motions, arrays["motion_lens"])
            evaluator = _evaluator(networks, frames, len(clips))
            found = evaluator.motion_embeddings(clips, "packed" if packed else "released")
            report.compare(case, f"{name}, clip by clip", found, arrays[name], atol=ATOL)


def _check_texts(case: str, arrays: ReadArrays, networks: T2MNetworks, report: Report) -> None:
    for name in ("text_emb", "text_emb_t2m"):
        if name in arrays:
            report.compare(case, name, _texts(arrays, networks), arrays[name], atol=ATOL)


def _check_wrapper(case: str, arrays: ReadArrays, networks: T2MNetworks, report: Report) -> None:
    """The original sorts by length and leaves the results so: ours are brought into its order.

    Clips of equal length may come in either order, so of the order only the lengths are compared.
    """
    motions, lengths = torch.from_numpy(arrays["wrapper/motions"]), arrays["wrapper/m_lens"]
    order = arrays["wrapper/align_idx"]
    report.exact(case, "wrapper/align_idx, rows", np.sort(order), np.arange(len(lengths)))
    report.exact(case, "wrapper/align_idx, lengths", np.sort(lengths)[::-1], lengths[order])
    batch = networks.embed_motion(motions, torch.from_numpy(lengths))[order]
    clips = _clips(motions, lengths)
    single = _evaluator(networks, motions.shape[1], 2).motion_embeddings(clips)[order]
    for name in ("wrapper/motion_embedding", "wrapper/get_motion_embeddings"):
        if name in arrays:
            report.compare(case, name, batch, arrays[name], atol=ATOL)
            report.compare(case, f"{name}, clip by clip", single, arrays[name], atol=ATOL)
    if "wrapper/text_embedding" in arrays:
        found = _texts(arrays, networks)[order]
        expected = arrays["wrapper/text_embedding"]
        report.compare(case, "wrapper/text_embedding", found, expected, atol=ATOL)


def _texts(arrays: ReadArrays, networks: T2MNetworks) -> Tensor:
    words, categories, lengths = (
        torch.from_numpy(arrays[name]) for name in ("word_embs", "pos_onehot", "cap_lens")
    )
    return networks.embed_text(words, categories, lengths)


def _clips(motions: Tensor, lengths: np.ndarray) -> list[np.ndarray]:
    return [row[:length].numpy() for row, length in zip(motions, lengths.tolist(), strict=True)]


def _evaluator(networks: T2MNetworks, max_frames: int, batch_size: int) -> T2MEvaluator:
    """One that normalises nothing: the golden motions are normalised already."""
    sizes = networks.sizes
    nothing = np.zeros(sizes.n_features, np.float32)
    words = WordVectors({"unk": 0}, np.zeros((1, sizes.word), np.float32))
    return T2MEvaluator(networks, nothing, nothing + 1, words, max_frames, batch_size)
