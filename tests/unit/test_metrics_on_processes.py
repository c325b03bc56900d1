"""Every kind of metric gives the same numbers on any number of processes."""

import json
from dataclasses import replace
from datetime import timedelta

import numpy as np
import torch

from evaluation.captions.coco import CocoBackEnd
from evaluation.case import Case, Scorers
from evaluation.metrics.base import Batch
from evaluation.metrics.bone_length import BoneLengthError
from evaluation.metrics.captions import CaptionScores
from evaluation.metrics.displacement import AverageDisplacement
from evaluation.metrics.diversity import Diversity
from evaluation.metrics.fid import FrechetDistance
from evaluation.metrics.floor_contact import FootSliding
from evaluation.metrics.jitter import Jitter
from evaluation.metrics.multimodality import MultiModality
from evaluation.metrics.padded_errors import PaddedJointError
from evaluation.metrics.pairwise_distance import PairwiseDistance
from evaluation.metrics.reconstruction import JointError
from evaluation.metrics.retrieval import Retrieval
from motiongpt.motion.skeleton import HUMANML3D
from tests.together import FORKING

CLIPS = 330
WITH_CASES = 41  # the first clips, which metrics of cases are given
WORDS = ("a", "man", "walks", "forward", "and", "waves", "é")


def gaussian(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


TEXTS, MOTIONS = gaussian(CLIPS, 8), gaussian(CLIPS, 8, seed=1)
SAMPLES = gaussian(CLIPS, 12, 8)
SCORERS = Scorers(HUMANML3D, 20.0, {}, mean=np.zeros(263, np.float32))


def make_clip(position):
    draw = np.random.default_rng(position)
    reference = draw.normal(size=(8 + position % 5, 263)).astype(np.float32) / 10
    sentences = [" ".join(draw.choice(WORDS, 4)) for _ in range(3)]
    return Case(
        name=str(position),
        labels=(),
        captions=tuple(sentences[: 1 + position % 2]) if position != 7 else (),
        caption=sentences[0],
        prompt="",
        reference=reference,
        given=np.arange(len(reference)) < 3,
        text=sentences[2] if position % 3 else "",
        features=reference + draw.normal(size=reference.shape).astype(np.float32) / 50,
    )


def metrics_of(parts):
    """All metrics over some clips, given as batches of their positions."""
    by_embedding = [Retrieval(seed=4), FrechetDistance(), Diversity(), MultiModality()]
    by_case = [
        JointError("mpjpe"),
        PaddedJointError("acceleration_error"),
        AverageDisplacement(),
        FootSliding(),
        Jitter(),
        BoneLengthError(),
        CaptionScores(CocoBackEnd()),
    ]
    pairwise = PairwiseDistance()
    for positions in parts:
        embeddings = {
            "caption": TEXTS[positions],
            "motion": MOTIONS[positions],
            "reference": TEXTS[positions],
            "samples": SAMPLES[positions],
        }
        for metric in by_embedding:
            metric.update(Batch(embeddings=embeddings, positions=positions))
        positions = positions[positions < WITH_CASES]
        if len(positions):
            cases = [make_clip(position) for position in positions.tolist()]
            batch = Batch(cases=cases, positions=positions, scorers=SCORERS)
            for metric in by_case:
                metric.update(batch)
            twice = [one for case in cases for one in (case, same_start(case))]
            pairwise.update(Batch(cases=twice, positions=positions, scorers=SCORERS))
    return [*by_embedding, *by_case, pairwise]


def same_start(case):
    return replace(case, features=case.reference)


def numbers_of(metrics):
    return {
        f"{type(metric).__name__} {name}": value.item()
        for metric in metrics
        for name, value in metric.compute().items()
    }


def dealt(rank, n_processes):
    """Batches of a process as a distributed sampler deals them: the first clips come again."""
    positions = torch.arange(CLIPS + 2).remainder(CLIPS)[rank::n_processes]
    return positions.split(50)


def test_batches_and_repeated_clips_do_not_matter():
    expected = numbers_of(metrics_of([torch.arange(CLIPS)]))
    assert len(expected) == 4 + 1 + 1 + 1 + 6 + 4 + 1
    assert numbers_of(metrics_of(torch.arange(CLIPS).flip(0).split(7))) == expected
    of_four = [batch for rank in range(4) for batch in dealt(rank, 4)]
    assert sum(map(len, of_four)) > CLIPS
    assert numbers_of(metrics_of(of_four)) == expected


def run_one_process(rank, store):
    """Gathers over two processes and returns what this one computes."""
    torch.distributed.init_process_group(
        "gloo",
        store=torch.distributed.FileStore(store, 2),
        rank=rank,
        world_size=2,
        timeout=timedelta(seconds=120),
    )
    try:
        return numbers_of(metrics_of(dealt(rank, 2)))
    finally:
        torch.distributed.destroy_process_group()


def save_one_process(rank, store, file):
    file.write_text(json.dumps(run_one_process(rank, store)))


def test_two_processes_give_the_numbers_of_one(tmp_path):
    store, file = str(tmp_path / "store"), tmp_path / "numbers.json"
    other = torch.multiprocessing.get_context(FORKING).Process(
        target=save_one_process, args=(1, store, file)
    )
    other.start()
    here = run_one_process(0, store)
    other.join()
    expected = numbers_of(metrics_of([torch.arange(CLIPS)]))
    assert here == expected
    assert json.loads(file.read_text()) == expected
