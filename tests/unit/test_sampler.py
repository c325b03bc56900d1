import itertools

import numpy as np
import pytest

from motiongpt.training.sampler import StepBatchSampler, fixed_keys, random_seed

CLIPS = np.arange(100, 117)


def take(sampler, count):
    return list(itertools.islice(iter(sampler), count))


def test_every_epoch_holds_every_clip_once_in_another_order():
    batches = take(StepBatchSampler(CLIPS, 17, seed=3), 3)
    clips = [[clip for clip, _ in batch] for batch in batches]
    assert all(sorted(epoch) == CLIPS.tolist() for epoch in clips)
    assert clips[0] != clips[1] != CLIPS.tolist()


def test_resuming_at_a_step_gives_the_undisturbed_batches():
    whole = take(StepBatchSampler(CLIPS, 4, seed=3), 30)
    assert take(StepBatchSampler(CLIPS, 4, seed=3, start=lambda: 11), 19) == whole[11:]


def test_processes_share_a_global_batch():
    whole = take(StepBatchSampler(CLIPS, 6, seed=3), 9)
    parts = [take(StepBatchSampler(CLIPS, 6, seed=3, rank=rank, world=2), 9) for rank in (0, 1)]
    for step in range(9):
        assert sorted(parts[0][step] + parts[1][step]) == sorted(whole[step])


def test_seeds_differ_between_epochs_and_seeds():
    first = dict(take(StepBatchSampler(CLIPS, 17, seed=3), 1)[0])
    second = dict(take(StepBatchSampler(CLIPS, 17, seed=3), 2)[1])
    assert all(first[clip] != second[clip] for clip in CLIPS)
    assert random_seed(1, 2) != random_seed(2, 1)
    assert fixed_keys(CLIPS, 5) == fixed_keys(CLIPS, 5) != fixed_keys(CLIPS, 6)


def test_bad_sizes_are_refused():
    with pytest.raises(ValueError, match="no clips"):
        StepBatchSampler(np.zeros(0, int), 4, seed=0)
    with pytest.raises(ValueError, match="can't be shared by 2"):
        StepBatchSampler(CLIPS, 5, seed=0, world=2)


def test_unshuffled_keeps_the_order_of_the_data_set():
    batches = take(StepBatchSampler(CLIPS, 17, seed=3, shuffle=False), 2)
    assert [[clip for clip, _ in batch] for batch in batches] == [CLIPS.tolist()] * 2
