"""Tokens of sentences: by spaCy where it is, by the data set's own captions, or without tags."""

import sys
import types

import pytest

from evaluation.evaluators.sentence_tags import (
    FrequentTags,
    NoTags,
    choose_tagger,
    restore_tagger,
    words_of,
)
from motiongpt.data.clip import Caption
from motiongpt.errors import UserError

CAPTIONS = [
    Caption("A man walks, then runs.", "A/DET man/NOUN walk/VERB then/ADV run/VERB"),
    Caption("the man's walks", "the/DET man/NOUN walk/NOUN"),
    Caption("he walks", "he/PRON walk/VERB"),
    Caption("two words", "not/PART the/DET same/ADJ number/NOUN"),
]


@pytest.fixture
def no_spacy(monkeypatch):
    monkeypatch.setitem(sys.modules, "spacy", None)


@pytest.fixture
def fake_spacy(monkeypatch):
    class Word:
        def __init__(self, text, lemma, tag):
            self.text, self.lemma_, self.pos_ = text, lemma, tag

    known = {"walks": ("walk", "VERB"), "left": ("leave", "VERB"), "men": ("man", "NOUN")}

    class Model:
        def __init__(self):
            self.meta = {"version": "3.7"}

        def __call__(self, text):
            parts = text.replace(".", " .").split()
            return [Word(part, *known.get(part, (part.upper(), "DET"))) for part in parts]

        def pipe(self, texts, disable):
            assert set(disable) <= {"ner"}  # tags depend on the others
            return map(self, texts)

    module = types.ModuleType("spacy")
    module.load = lambda name: Model()
    monkeypatch.setitem(sys.modules, "spacy", module)


def test_words_are_lower_case_without_punctuation():
    assert words_of("The man's 65-degree BOW, done.") == [
        "the",
        "man's",
        "65",
        "degree",
        "bow",
        "done",
    ]
    assert NoTags().tokens("A bow!") == ["a/OTHER", "bow/OTHER"]


def test_a_word_gets_the_token_that_captions_most_often_have():
    tagger = FrequentTags.of_captions(CAPTIONS)
    assert tagger.tokens("The man walks; he then runs!") == [
        "the/DET",
        "man/NOUN",
        "walk/VERB",
        "he/PRON",
        "then/ADV",
        "run/VERB",
    ]
    assert tagger.tokens("run 3 zigzags") == ["run/VERB", "zigzags/OTHER"]
    assert tagger.tokens("same number") == ["same/ADJ", "number/NOUN"], "captions not aligned"
    again = restore_tagger(tagger.name, tagger.saved())
    assert again.tokens("he walks") == ["he/PRON", "walk/VERB"]


def test_ties_do_not_depend_on_the_order_of_captions():
    both = [Caption("walks", "walk/VERB"), Caption("walks", "walk/NOUN")]
    found = {FrequentTags.of_captions(some).tokens("walks")[0] for some in (both, both[::-1])}
    assert found == {"walk/NOUN"}


def test_spacy_is_taken_where_it_is(fake_spacy):
    tagger = choose_tagger("auto", CAPTIONS)
    assert tagger.name == "spacy" and tagger.saved()["version"] == "3.7"
    assert tagger.tokens("the men walks to-wards left.") == [
        "the/DET",
        "man/NOUN",
        "walk/VERB",
        "towards/DET",
        "left/VERB",
    ]
    several = ["the men", "", "walks to-wards left."]
    assert list(tagger.tokens_of_all(several)) == [tagger.tokens(text) for text in several]


def test_without_spacy_the_captions_of_the_data_help(no_spacy):
    assert choose_tagger("auto", CAPTIONS).name == "frequent"
    assert choose_tagger("auto", [Caption("a man")]).name == "none"
    for tags, message in (("spacy", r"pip install spacy.*frequent"), ("words", "choose one of")):
        with pytest.raises(UserError, match=message) as error:
            choose_tagger(tags, CAPTIONS)
        assert "\n" not in str(error.value)
    with pytest.raises(UserError, match="no tokens to learn from"):
        choose_tagger("frequent", [Caption("a man")])


def test_a_saved_evaluator_that_needs_spacy_says_so(no_spacy):
    with pytest.raises(UserError, match="pip install spacy"):
        restore_tagger("spacy", {})
