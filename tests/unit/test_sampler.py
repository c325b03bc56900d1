import itertools

import numpy as np
import pytest

from motiongpt.training.sampler import (
    StepBatchSampler,
    ValidationBatches,
    fixed_keys,
    random_seed,
)

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


def test_processes_share_a_global_batch_in_its_order():
    whole = take(StepBatchSampler(CLIPS, 6, seed=3), 9)
    for world in (2, 3, 6):
        parts = [
            take(StepBatchSampler(CLIPS, 6, seed=3, rank=rank, world=world), 9)
            for rank in range(world)
        ]
        for step in range(9):
            assert [key for part in parts for key in part[step]] == whole[step]


@pytest.mark.parametrize("world", [1, 2, 3, 16, 20])
def test_processes_validate_every_clip_once(world):
    keys = fixed_keys(CLIPS, 5)
    parts = [list(ValidationBatches(keys, 3, rank, world)) for rank in range(world)]
    assert sorted(key for part in parts for batch in part for key in batch) == sorted(keys)
    sizes = [[len(batch) for batch in part] for part in parts]
    assert max(size for part in sizes for size in part) <= 3
    assert max(map(sum, sizes)) - min(map(sum, sizes)) <= 1


def test_validation_batches_have_no_length_that_lightning_could_take_for_nothing_to_do():
    assert not hasattr(ValidationBatches(fixed_keys(CLIPS, 5), 3), "__len__")


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
