"""What typed sentences ask for."""

import pytest

from motiongpt.methods.base import INBETWEEN, MOTION_TO_TEXT, PREDICTION, TEXT_TO_MOTION
from motiongpt.web.examples import chosen_captions
from motiongpt.web.wording import Asked, asked_by


@pytest.mark.parametrize(
    ("sentence", "task", "text"),
    [
        ("a person walks", TEXT_TO_MOTION, "a person walks"),
        ("a person goes on with the work", TEXT_TO_MOTION, "a person goes on with the work"),
        ("describe it", MOTION_TO_TEXT, ""),
        ("Describe the last motion.", MOTION_TO_TEXT, ""),
        ("what is the person doing?", MOTION_TO_TEXT, ""),
        ("go on", PREDICTION, ""),
        ("continue it", PREDICTION, ""),
        ("go on with a jump", PREDICTION, "a jump"),
        ("Go on: he sits down", PREDICTION, "he sits down"),
        ("fill the middle", INBETWEEN, ""),
        ("fill in the middle with a jump", INBETWEEN, "a jump"),
        ("now faster", TEXT_TO_MOTION, "a person walks faster"),
    ],
)
def test_orders_are_taken_from_descriptions(sentence, task, text):
    assert asked_by(sentence, last="a person walks.") == Asked(task, text)


def test_now_is_a_word_like_others_where_nothing_was_asked_before():
    assert asked_by("now faster").text == "now faster"


def test_examples_are_short_captions_of_different_words():
    captions = ["a man walks", "a man walks slowly", "a woman jumps", "x " * 80, "a man walks"]
    assert chosen_captions(captions, most=2) == ("a man walks slowly", "a woman jumps")
