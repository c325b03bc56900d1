"""The last two checkpoints of a training: a damaged one is named, set aside, and not gone on from."""

import os

import pytest
import torch

from launch.runs.attempts import claimed
from launch.runs.ledger import Run
from motiongpt.training.checkpoints import CHECKPOINT, PREVIOUS, keep_two, sound_checkpoint


def flipped(content, position):
    """`content` with one bit turned over."""
    changed = bytearray(content)
    changed[position] ^= 4
    return bytes(changed)


DAMAGES = {
    "emptied": lambda content: b"",
    "truncated": lambda content: content[: len(content) // 2],
    "its end lost": lambda content: content[:-1],
    "a bit flipped": lambda content: flipped(content, len(content) // 2),
    "the first byte": lambda content: flipped(content, 0),
    "a page of zeros": lambda content: content[:8192] + bytes(4096) + content[12288:],
    "other bytes": lambda content: os.urandom(len(content)),
    "text": lambda content: b"no checkpoint",
}


@pytest.fixture
def folder(tmp_path):
    """A stage's folder after three checkpoints, of steps 1 to 3."""
    (tmp_path / CHECKPOINT).parent.mkdir()
    for step in (1, 2, 3):
        new = tmp_path / "checkpoints" / ".last.ckpt.tmp"
        torch.save({"step": step, "weights": torch.randn(100, 100)}, new)
        keep_two(new, tmp_path / CHECKPOINT)
    return tmp_path


def chosen(folder, moves=True):
    """The step of the checkpoint that is gone on from, and what was said."""
    said = []
    path = sound_checkpoint(folder, said.append, moves)
    return None if path is None else torch.load(path)["step"], said


def test_the_last_two_are_kept_and_the_last_is_gone_on_from(folder):
    assert sorted(os.listdir(folder / "checkpoints")) == ["last.ckpt", "previous.ckpt"]
    assert chosen(folder) == (3, [])


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=list(DAMAGES))
def test_a_damaged_one_is_named_set_aside_and_the_one_before_is_gone_on_from(folder, damage):
    last = folder / CHECKPOINT
    last.write_bytes(damage(last.read_bytes()))
    kept = last.read_bytes()
    assert chosen(folder, moves=False) == (2, []), "another process of the job decides alike"
    step, said = chosen(folder)
    assert step == 2 and len(said) == 1 and str(last) in said[0] and "damaged" in said[0]
    assert (folder / "checkpoints" / "damaged-last.ckpt").read_bytes() == kept
    assert chosen(folder) == (2, []), "it is named once"


def test_without_a_whole_one_the_training_begins_anew(folder):
    for name in (CHECKPOINT, PREVIOUS):
        (folder / name).write_bytes(b"")
    step, said = chosen(folder)
    assert step is None and len(said) == 2


def test_a_kill_between_the_two_moves_leaves_the_one_before(folder):
    os.replace(folder / CHECKPOINT, folder / PREVIOUS)
    assert chosen(folder) == (3, [])


def test_a_flipped_bit_is_found_wherever_it_can_change_what_is_read(folder):
    """Where a bit is not found, as in the padding between two parts, the content is the same."""
    last = folder / CHECKPOINT
    content, whole = last.read_bytes(), torch.load(last)["weights"]
    rng = torch.Generator().manual_seed(0)
    for position in torch.randint(len(content), (40,), generator=rng).tolist():
        last.write_bytes(flipped(content, position))
        path = sound_checkpoint(folder, str, moves=False)
        assert path != last or torch.equal(torch.load(last)["weights"], whole)


def test_both_are_taken_over_by_the_next_attempt(tmp_path):
    run = Run(tmp_path, "tokenizer", "aa")
    with claimed(run, str) as attempt:
        (attempt.folder / CHECKPOINT).parent.mkdir()
        for name in (CHECKPOINT, PREVIOUS):
            (attempt.folder / name).write_text(name)
        attempt.set_state("interrupted")
    with claimed(run, str) as attempt:
        assert attempt.number == 2
        assert (attempt.folder / PREVIOUS).read_text() == PREVIOUS
