"""TM2T's networks, its rows, its ways of generating and the way back."""

import math

import numpy as np
import pytest
import torch

from motiongpt.errors import UserError
from motiongpt.methods.tm2t.beams import Beams, beam_steps, best_beam
from motiongpt.methods.tm2t.generating import (
    Marks,
    ReadWords,
    TranslatedSource,
    draw_weights,
    drawn,
    generate_rows,
)
from motiongpt.methods.tm2t.inverse import meant, soft_rows
from motiongpt.methods.tm2t.rows import Forcing, code_row, motion_marks, padded, token_losses
from motiongpt.methods.tm2t.vocabulary import Vocabulary, pieces
from tests.unit.mld_parts import TEXT_WIDTH
from tests.unit.tiny_models import CODES
from tests.unit.tm2t_parts import CAPTIONS, VOCABULARY, small_recurrent, small_translator

MARKS = motion_marks(CODES)
GENERATOR = torch.Generator().manual_seed(0)


def words_of(*lengths: int) -> tuple[torch.Tensor, torch.Tensor]:
    words = torch.randn(len(lengths), max(lengths), TEXT_WIDTH, generator=GENERATOR)
    return words, torch.tensor(lengths)


def test_a_vocabulary_gives_back_what_it_was_told():
    for caption in CAPTIONS:
        ids = VOCABULARY.ids(caption, 20)
        assert ids[0] == VOCABULARY.marks.start and ids[-1] == VOCABULARY.marks.end
        assert VOCABULARY.sentence(ids) == caption
    assert VOCABULARY.ids("a zebra walks", 2) == [0, VOCABULARY.words.index("a"), 2, 1]
    assert VOCABULARY.marks.pad == len(VOCABULARY) - 1
    assert pieces("He won't GO!") == ["he", "won't", "go", "!"]
    rare = Vocabulary.of(["a b", "a c"], fewest=2)
    assert rare.words[3:] == ("a",)
    with pytest.raises(UserError, match="three marks and each word once"):
        Vocabulary(("a", "b", "c"))


def test_rows_have_marks_and_lose_a_code_where_there_are_more():
    assert code_row([5, 6, 7], MARKS) == [CODES, 5, 6, 7, CODES + 1]
    assert code_row([5, 6, 7], MARKS, "first")[1:-1] == [6, 7]
    assert code_row([5, 6, 7], MARKS, "last")[1:-1] == [5, 6]
    assert code_row([5], MARKS, "last")[1:-1] == [5]
    assert padded([[1, 2], [3]], 9).tolist() == [[1, 2], [3, 9]]


def test_losses_are_cross_entropy_and_smoothed_by_all_other_ids():
    logits, targets = torch.randn(2, 3, 5), torch.tensor([[1, 2, 4], [0, 4, 4]])
    counted = targets != 4
    found = token_losses(logits, targets, 4)
    expected = torch.nn.functional.cross_entropy(logits[counted], targets[counted], reduction="sum")
    torch.testing.assert_close(found.losses, expected)
    assert found.counted == 3
    spread = torch.full((3, 5), 0.1 / 4).scatter(1, targets[counted][:, None], 0.9)
    smooth = -(spread * logits[counted].log_softmax(-1)).sum()
    torch.testing.assert_close(token_losses(logits, targets, 4, 0.1).losses, smooth)


@torch.no_grad()
def test_padding_of_a_source_and_of_a_target_changes_nothing():
    network = small_translator()
    codes = padded([[CODES, 1, 2, 3, CODES + 1], [CODES, 4, CODES + 1]], MARKS.pad)
    words = padded([[0, 3, 4, 5], [0, 6]], VOCABULARY.marks.pad)
    present, counted = codes != MARKS.pad, words != VOCABULARY.marks.pad
    both = network(codes, present, words, counted)
    alone = network(codes[1:, :3], present[1:, :3], words[1:, :2], counted[1:, :2])
    torch.testing.assert_close(both[1, :2], alone[0], atol=1e-5, rtol=1e-5)
    changed = words.clone()
    changed[0, 3] = 9
    later = network(codes, present, changed, counted)
    torch.testing.assert_close(both[0, :3], later[0, :3])


@torch.no_grad()
def test_words_behind_a_rows_end_are_seen_only_in_the_released_way():
    words, lengths = words_of(5, 2)
    codes = torch.tensor([[CODES, 1, 2], [CODES, 3, 4]])
    for released in (False, True):
        network = small_recurrent(released=released)
        both = network(words, lengths, codes, True)
        alone = network(words[1:, :2], lengths[1:], codes[1:], True)
        assert torch.allclose(both[1], alone[0], atol=1e-5) != released
    network = small_recurrent()
    changed = words.clone()
    changed[1, 2:] += 1
    found, other = (network(one, lengths, codes, True) for one in (words, changed))
    torch.testing.assert_close(found, other)


@torch.no_grad()
def test_both_states_of_a_column_are_of_one_word():
    words, lengths = words_of(4)
    right, released = (small_recurrent(released=way).words for way in (False, True))
    found, other = right(words, lengths)[0], released(words, lengths)[0]
    half = found.shape[-1] // 2
    torch.testing.assert_close(found[..., :half], other[..., :half])
    torch.testing.assert_close(found[..., half:].flip(1), other[..., half:])
    changed = words.clone()
    changed[0, 3] += 1
    moved = (right(changed, lengths)[0] - found).abs().amax((0, 2)) > 1e-6
    backward = (right(changed, lengths)[0] - found)[..., half:].abs().amax((0, 2)) > 1e-6
    assert moved[3] and backward.all(), "the last word is the first that is read backwards"


@torch.no_grad()
def test_its_own_codes_are_those_that_it_finds_likeliest():
    network, (words, lengths) = small_recurrent(), words_of(3, 5)
    codes = torch.full((2, 6), CODES)
    free = network(words, lengths, codes, False)
    forced = network(words, lengths, torch.cat((codes[:, :1], free.argmax(-1)[:, :-1]), 1), True)
    torch.testing.assert_close(free, forced)


def sources():
    words, lengths = words_of(3, 5, 1)
    codes = padded([[CODES, 1, 2, CODES + 1], [CODES, 4, CODES + 1]], MARKS.pad)
    return {
        "words": (lambda: ReadWords(small_recurrent(), words, lengths), MARKS),
        "codes": (
            lambda: TranslatedSource(small_translator(), codes, codes != MARKS.pad),
            VOCABULARY.marks,
        ),
    }


@pytest.mark.parametrize("kind", ["words", "codes"])
def test_rows_hold_no_mark_and_as_many_ids_as_asked(kind):
    make, marks = sources()[kind]
    rows = make().rows
    uniforms = torch.rand(rows, 7, generator=GENERATOR)
    for drawn_by in (None, uniforms):
        found = generate_rows(make(), marks, 7, drawn_by, exactly=torch.arange(rows) + 2)
        assert found.lengths.tolist() == [number + 2 for number in range(rows)]
        assert not {*marks.all} & {int(one) for row in found.content() for one in row}
    for row in range(rows):
        source = make()
        source.pick(torch.tensor([row]))
        alone = generate_rows(source, marks, 7, uniforms[row : row + 1], 3)
        both = generate_rows(make(), marks, 7, uniforms, 3)
        assert alone.content()[0].tolist() == both.content()[row].tolist()


def test_a_row_ends_where_its_end_is_the_likeliest():
    class Counting:
        rows, device = 2, torch.device("cpu")

        def next_logits(self, ids):
            logits = torch.zeros(2, 5)
            logits[:, 1] = 1
            logits[0, 3] = 5 if ids.shape[1] == 3 else 0
            return logits

    found = generate_rows(Counting(), Marks(2, 3, 4), 6)
    assert found.lengths.tolist() == [2, 6]
    assert [row.tolist() for row in found.content()] == [[1, 1], [1] * 6]


def test_drawing_leaves_marks_and_unlikely_ids_out():
    logits = torch.tensor([[3.0, 2.0, 1.0, 9.0, 8.0]])
    weights = draw_weights(logits, (3, 4), None)
    torch.testing.assert_close(weights[0, :3] / weights.sum(), logits[0, :3].softmax(0))
    assert draw_weights(logits, (3, 4), 3)[0, 1:].tolist() == [0, 0, 0, 0]
    assert draw_weights(logits, (3, 4), 2)[0].tolist() == [1, 0, 0, 0, 0], "only marks are likely"
    uniforms = torch.rand(5000, generator=GENERATOR)
    counts = drawn(weights.expand(5000, -1), uniforms).bincount(minlength=5) / 5000
    torch.testing.assert_close(counts[:3], logits[0, :3].softmax(0), atol=0.03, rtol=0)
    assert int(drawn(weights, torch.tensor([1 - 1e-9]))) == 2


def test_beams_find_the_likeliest_row_and_wait_when_they_have_ended():
    make, marks = sources()["codes"]
    scores = {}
    for beams in (1, 2, 4):
        source = make()
        source.pick(torch.tensor([0]))
        *_, last = beam_steps(source, marks, beams, 5)
        best = best_beam(last, marks)
        scores[beams] = float(last.scores.max())
        assert best[0] == marks.start and (marks.end not in best[1:-1].tolist())
    assert scores[4] >= scores[2] >= scores[1] - 1e-6

    class Ends:
        rows, device = 1, torch.device("cpu")

        def next_logits(self, ids):
            share = (
                torch.tensor([0.05, 0.05, 0.6, 0.3])
                if ids.shape[1] == 1
                else torch.full((4,), 0.25)
            )
            return share.log().expand(len(ids), -1)

        def pick(self, rows):
            self.rows = len(rows)

    steps = list(beam_steps(Ends(), Marks(0, 2, 3), 2, 6))
    assert steps[0].ids.tolist() == [[0, 2], [0, 3]]
    assert max(one.scores.max() for one in steps) == pytest.approx(math.log(0.6))
    released = list(beam_steps(Ends(), Marks(0, 2, 3), 2, 6, released=True))
    assert released[-1].scores.max() < math.log(0.6) - 1, "it paid for what follows its end"
    long = Beams(torch.tensor([[0, 1, 1, 2], [0, 2, 1, 1]]), torch.tensor([-1.5, -1.4]))
    assert best_beam(long, Marks(0, 2, 3)).tolist() == [0, 1, 1, 2], "for its length"


def test_the_way_back_teaches_the_words_into_codes_and_nobody_else():
    network, translator = small_recurrent(), small_translator().requires_grad_(False)
    words, lengths = words_of(3, 5)
    rng = np.random.default_rng(0)
    gumbel = torch.from_numpy(rng.gumbel(size=(2, 6, CODES + 3))).float()
    rows, counts = soft_rows(network, words, lengths, gumbel, MARKS)
    assert rows.shape == (2, 7, CODES + 3)
    torch.testing.assert_close(rows.sum(-1), torch.ones(2, 7))
    torch.testing.assert_close(rows.detach().amax(-1), torch.ones(2, 7))
    assert not rows[:, 1:, [MARKS.start, MARKS.end]].detach().round().any()
    ids = padded([VOCABULARY.ids(one, 9) for one in CAPTIONS[:2]], VOCABULARY.marks.pad)
    for released in (False, True):
        logits = meant(translator, rows, counts, ids, MARKS, VOCABULARY.marks.pad, released)
        assert logits.shape == (2, ids.shape[1] - 1, len(VOCABULARY))
    token_losses(logits, ids[:, 1:], VOCABULARY.marks.pad).losses.backward()
    assert all(one.grad is not None for one in network.parameters())
    # as of codes that are given, where the end is the same
    given = rows.detach().argmax(-1)[:1, : int(counts[0]) + 1]
    whole = torch.cat((given, torch.tensor([[MARKS.end]])), 1)
    found = meant(
        translator, rows[:1], counts[:1], ids[:1, :4], MARKS, VOCABULARY.marks.pad, released=False
    )
    read = ids[:1, :3]
    expected = translator(whole, torch.ones_like(whole, dtype=torch.bool), read, read >= 0)
    torch.testing.assert_close(found.detach(), expected, atol=1e-5, rtol=1e-5)


def test_forcing_falls_evenly_and_stays():
    forcing = Forcing(0.9, 0.1, 40)
    assert [forcing.at(step) for step in (0, 20, 40, 99)] == pytest.approx([0.9, 0.5, 0.1, 0.1])
