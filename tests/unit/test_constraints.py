import pytest
import torch

from motiongpt.backbones.token_ids import TokenIds
from motiongpt.errors import UserError
from motiongpt.methods.motiongpt.generation.constraints import (
    RowConstraint,
    Rows,
    State,
    allowed_tokens,
)
from motiongpt.methods.motiongpt.generation.decoding import Decoding

# 0 pad, 1 end of text, 2 to 4 words, 5 to 7 codes, 8 start, 9 end, 10 mask
IDS = TokenIds(11, codes=(5, 6, 7), start=8, end=9, end_of_text=1, never_in_text=(0, *range(5, 11)))


def offered(rows: Rows, generated: int, beams: int = 1) -> list[list[int]]:
    """Ids that each row may take after `generated` tokens and a prefix of 3."""
    constraint = RowConstraint(IDS, rows, prefix_length=3, num_beams=beams)
    n_rows = len(rows.most) * beams
    scores = constraint(
        torch.zeros(n_rows, 3 + generated, dtype=torch.long), torch.zeros(n_rows, 11)
    )
    return [torch.nonzero(torch.isfinite(row)).flatten().tolist() for row in scores]


def test_motion_of_free_length_is_start_codes_end() -> None:
    rows = Rows.of(["motion"], [None], max_motion_tokens=3, max_text_tokens=9)
    found = [offered(rows, generated)[0] for generated in range(6)]
    assert found == [[8], [5, 6, 7], [5, 6, 7, 9], [5, 6, 7, 9], [9], [9]]
    assert rows.longest() == 5


def test_motion_of_asked_length_ends_neither_earlier_nor_later() -> None:
    rows = Rows.of(["motion"], [4], max_motion_tokens=2, max_text_tokens=9)
    found = [offered(rows, generated)[0] for generated in range(6)]
    assert found == [[8], *[[5, 6, 7]] * 4, [9]]
    assert rows.longest() == 6


def test_text_has_no_motion_tokens_and_ends() -> None:
    rows = Rows.of(["text"], [None], max_motion_tokens=9, max_text_tokens=2)
    assert [offered(rows, generated)[0] for generated in range(4)] == [
        [1, 2, 3, 4],
        [1, 2, 3, 4],
        [1],
        [1],
    ]
    assert rows.longest() == 3


def test_each_row_has_its_own_state_and_beams_share_it() -> None:
    rows = Rows.of(["motion", "text", "motion"], [1, None, None], 5, 5)
    found = offered(rows, generated=2, beams=2)
    assert found == [[9], [9], [1, 2, 3, 4], [1, 2, 3, 4], [5, 6, 7, 9], [5, 6, 7, 9]]
    assert rows.longest() == 7


def test_every_state_offers_something() -> None:
    assert allowed_tokens(IDS).shape == (len(State), 11)
    assert allowed_tokens(IDS).any(dim=1).all()


@pytest.mark.parametrize(("kind", "count"), [("picture", None), ("motion", 0), ("text", 3)])
def test_impossible_rows_are_refused(kind: str, count: int | None) -> None:
    with pytest.raises(UserError):
        Rows.of([kind], [count], 5, 5)


def test_motions_of_free_length_without_any_token_are_refused() -> None:
    with pytest.raises(UserError, match="max_motion_tokens=0: must be at least 1"):
        Rows.of(["motion"], [None], max_motion_tokens=0, max_text_tokens=5)


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ({"strategy": "argmax"}, "sampling, greedy, beams"),
        ({"precision": "float16"}, "precision=float16 is unknown: choose one of float32"),
        ({"temperature": 0.0}, "temperature"),
        ({"top_p": 1.5}, "top_p"),
        ({"top_k": -1}, "top_k"),
        ({"max_text_tokens": 0}, "max_text_tokens"),
        ({"strategy": "beams"}, "at least 2"),
        ({"strategy": "greedy", "num_beams": 4}, "decoding=beams"),
    ],
)
def test_meaningless_decodings_are_refused(option: dict[str, object], message: str) -> None:
    with pytest.raises(UserError, match=message):
        Decoding(**option)
