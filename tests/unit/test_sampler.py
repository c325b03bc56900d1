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


LENGTHS = np.random.default_rng(1).integers(5, 50, size=403)


def bucketed(bucket=8, **others):
    clips = np.arange(1000, 1403)
    return StepBatchSampler(clips, 12, seed=3, lengths=LENGTHS, bucket=bucket, **others)


def spread(batches):
    """Longest minus shortest clip of each batch."""
    return [np.ptp([LENGTHS[clip - 1000] for clip, _ in batch]) for batch in batches]


def test_buckets_hold_every_clip_once_an_epoch():
    clips = [clip for batch in take(bucketed(), 403) for clip, _ in batch]  # 12 epochs
    for epoch in range(12):
        assert sorted(clips[403 * epoch : 403 * (epoch + 1)]) == list(range(1000, 1403))
    assert clips[:403] != clips[403:806]


def test_buckets_make_batches_of_similar_lengths_in_no_order_of_length():
    plain, sorted_ = take(bucketed(bucket=1), 33), take(bucketed(), 33)
    assert np.median(spread(sorted_)) < 0.25 * np.median(spread(plain))
    means = [np.mean([LENGTHS[clip - 1000] for clip, _ in batch]) for batch in sorted_[:8]]
    assert means != sorted(means) and means != sorted(means, reverse=True)
    parts = np.array([[LENGTHS[clip - 1000] for clip, _ in batch] for batch in sorted_[:32]])
    assert abs(parts[:, :6].mean() - parts[:, 6:].mean()) < 1  # of 2 processes


def test_buckets_draw_other_batches_each_epoch_but_the_same_after_a_resume():
    whole = take(bucketed(), 90)
    assert take(bucketed(start=lambda: 41), 49) == whole[41:]
    assert {frozenset(clip for clip, _ in batch) for batch in whole[:33]}.isdisjoint(
        frozenset(clip for clip, _ in batch) for batch in whole[34:67]
    )
    for world in (2, 3):
        parts = [take(bucketed(rank=rank, world=world), 40) for rank in range(world)]
        for step in range(40):
            assert [key for part in parts for key in part[step]] == whole[step]


def test_a_bucket_of_one_batch_changes_nothing_and_small_sets_have_no_whole_batch():
    plain = StepBatchSampler(np.arange(1000, 1403), 12, seed=3)
    assert take(bucketed(bucket=1), 50) == take(plain, 50)
    few = StepBatchSampler(CLIPS, 40, seed=3, lengths=LENGTHS, bucket=4)
    assert take(few, 5) == take(StepBatchSampler(CLIPS, 40, seed=3), 5)


@pytest.mark.parametrize("wrong", [{"shuffle": False}, {"lengths": None}, {"bucket": 0}])
def test_buckets_need_lengths_and_shuffling(wrong):
    with pytest.raises(ValueError, match="bucket="):
        StepBatchSampler(CLIPS, 4, seed=0, **{"lengths": LENGTHS, "bucket": 4} | wrong)
