"""What is read of a synthetic caption, against the parameters that the caption was made of."""

import pytest

from evaluation.metrics.instructions.claims import Claim, read, unreadable
from evaluation.metrics.instructions.recognition import MEASURED
from motiongpt.data.synthetic import SyntheticSource
from motiongpt.data.synthetic.action import discover

WORDS = {name: action.words for name, action in discover().items()}


@pytest.mark.parametrize(
    ("caption", "claims"),
    [
        ("A person kicks twice.", [Claim("kick", count=2)]),
        ("someone punches three times with the left one", [Claim("punch", "left", 3)]),
        (
            "a man holds his left foot behind and hops twice on the right one",
            [Claim("hop", "right", 2)],
        ),
        ("a figure takes a deep bow slowly", [Claim("bow", count=1)]),
        ("a person rotates 90 degrees counterclockwise", [Claim("turn", "left", degrees=90.0)]),
        ("a person turns slightly to the right", [Claim("turn", "right")]),
        (
            "the man sits down, then rises to his feet before walking half a meter forward",
            [Claim("sit"), Claim("walk", metres=0.5)],
        ),
        (
            "a woman first raises both arms above her head then runs about 2.5 meters forward",
            [Claim("raise_arms", "both"), Claim("run", metres=2.5)],
        ),
    ],
)
def test_a_sentence_says(caption: str, claims: list[Claim]):
    assert list(read(caption, WORDS)) == claims


def test_every_caption_is_read_as_its_clip_was_made():
    source, said = SyntheticSource(clips=160, seed=5), dict.fromkeys(("side", "count"), 0)
    for index in range(len(source)):
        scene = source.scene(index)
        for caption in scene.captions:
            claims = read(caption, WORDS)
            assert [one.action for one in claims] == [one.action for one in scene.segments], caption
            for claim, segment in zip(claims, scene.segments, strict=True):
                for name in said:
                    if (value := getattr(claim, name)) is not None:
                        assert value == getattr(segment.parameters, name), caption
                        said[name] += 1
                if claim.metres is not None:
                    assert claim.metres == pytest.approx(segment.parameters.distance, abs=0.26)
                if claim.degrees is not None:
                    assert claim.degrees == segment.parameters.degrees, caption
    assert min(said.values()) > 100


@pytest.mark.parametrize(
    "caption", ["a person", "a bird sings", "a person walks and kicks and waves", ""]
)
def test_what_is_no_sentence_of_one_or_two_actions_is_not_read(caption: str):
    assert read(caption, WORDS) == ()


def test_every_action_of_the_data_is_measured():
    assert frozenset(WORDS) == MEASURED
    assert unreadable(WORDS, MEASURED) == ""
    assert unreadable({"wave": WORDS["wave"]}, MEASURED) == ""
    assert "evaluation/metrics/instructions" in unreadable(WORDS, MEASURED - {"wave"})


@pytest.mark.parametrize(
    ("words", "why"),
    [
        ({}, "names no actions"),
        ({"dance": (r"\bdanc",)}, "'dance' is not an action of the synthetic data"),
        ({"walk": (r"\bwalk",)}, "'walk' is not an action of the synthetic data"),
    ],
)
def test_other_data_is_left_alone_with_a_reason(words: dict[str, tuple[str, ...]], why: str):
    assert why in unreadable(words, MEASURED)
