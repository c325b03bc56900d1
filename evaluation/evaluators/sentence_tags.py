"""From a sentence to the `word/TAG` tokens that the T2M text encoder takes.

HumanML3D's own tokens are spaCy's (en_core_web_sm): words of letters only, nouns and verbs in
their base form, universal parts of speech. Where spaCy or its model is absent there are two
stand-ins, recorded with every result: the token that the data set's captions most often have for
a word, and no tags at all.
"""

import importlib.util
import re
from abc import ABC, abstractmethod
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Literal, get_args

from evaluation.evaluators.parts_of_speech import OTHER
from motiongpt.data.clip import Caption
from motiongpt.errors import UserError

SPACY_MODEL = "en_core_web_sm"
UNUSED = ("ner",)  # parts of it on which no tag and no base form depends
INSTALL = (
    f"pip install spacy, then python -m spacy download {SPACY_MODEL}, or set "
    "evaluator.tags=frequent"
)
Tags = Literal["auto", "spacy", "frequent", "none"]
_WORD = re.compile(r"[^\W_]+(?:'[^\W_]+)?")
_LETTERS = re.compile(r"[a-z]+")


def words_of(text: str) -> list[str]:
    """Lower-case words and numbers of a sentence, without punctuation."""
    return _WORD.findall(text.lower())


class Tagger(ABC):
    """Splits sentences into tokens.

    Attributes:
        name: what is recorded: "spacy", "frequent" or "none".
    """

    name: str

    @abstractmethod
    def tokens(self, text: str) -> list[str]:
        """`word/TAG` for each word."""

    def saved(self) -> dict[str, Any]:
        """What `restore_tagger` needs besides the name; plain JSON."""
        return {}


class NoTags(Tagger):
    """Words without parts of speech: only T2M's own word lists tell their category."""

    name = "none"

    def tokens(self, text: str) -> list[str]:
        """`word/OTHER` for each word or number."""
        return [f"{word}/{OTHER}" for word in words_of(text)]


class FrequentTags(Tagger):
    """The token that the captions of a data set most often have for a word.

    Args:
        known: lower-case word -> `word/TAG`, the word perhaps in its base form.
    """

    name = "frequent"

    def __init__(self, known: Mapping[str, str]) -> None:
        self.known = dict(known)

    @classmethod
    def of_captions(cls, captions: Iterable[Caption]) -> "FrequentTags":
        """Learn from captions with tokens, where there are as many words as tokens.

        A base form ("walk" of "walks") counts as a word too, for captions that can't be aligned.
        """
        forms: dict[str, Counter[str]] = defaultdict(Counter)
        bases: dict[str, Counter[str]] = defaultdict(Counter)
        for caption in captions:
            tokens = caption.tokens.split()
            words = _plain_words(caption.text)
            if len(words) == len(tokens):
                for word, token in zip(words, tokens, strict=True):
                    forms[word][token] += 1
            for token in tokens:
                bases[token.rpartition("/")[0]][token] += 1
        return cls({word: _commonest(found) for word, found in {**bases, **forms}.items()})

    def tokens(self, text: str) -> list[str]:
        """Tokens of the words of letters; `word/OTHER` for words that no caption has."""
        return [self.known.get(word, f"{word}/{OTHER}") for word in _plain_words(text)]

    def saved(self) -> dict[str, Any]:
        """The known words."""
        return {"known": self.known}


class SpacyTags(Tagger):
    """spaCy's parts of speech, as HumanML3D's captions were processed.

    Raises:
        UserError: spaCy or its model is not installed.
    """

    name = "spacy"

    def __init__(self) -> None:
        try:
            import spacy

            self._model = spacy.load(SPACY_MODEL)
        except (ImportError, OSError) as error:
            raise UserError(
                f"parts of speech by spaCy: {type(error).__name__}; {INSTALL}"
            ) from error

    def saved(self) -> dict[str, Any]:
        """The model's version, which tags depend on."""
        return {"model": SPACY_MODEL, "version": str(self._model.meta["version"])}

    def tokens(self, text: str) -> list[str]:
        """Tokens of the words of letters, nouns and verbs in their base form.

        "left" stays as it is: as a verb it would become "leave".
        """
        return _tokens_of_words(self._model(text.replace("-", "")))

    def tokens_of_all(self, texts: Iterable[str]) -> Iterator[list[str]]:
        """The same of many sentences, several times as fast: in batches, without finding names."""
        plain = (text.replace("-", "") for text in texts)
        return map(_tokens_of_words, self._model.pipe(plain, disable=UNUSED))


def _tokens_of_words(words: Iterable[Any]) -> list[str]:
    found = []
    for word in words:
        if word.text.isalpha():
            base = word.pos_ in ("NOUN", "VERB") and word.text != "left"
            found.append(f"{word.lemma_ if base else word.text}/{word.pos_}")
    return found


def check_tags(tags: str) -> None:
    """See that there is a tagger called `tags`, and spaCy where that is asked for.

    Raises:
        UserError: there is not.
    """
    if tags not in get_args(Tags):
        raise UserError(f"evaluator.tags={tags}: choose one of {', '.join(get_args(Tags))}")
    for package in ("spacy", SPACY_MODEL) if tags == "spacy" else ():
        if importlib.util.find_spec(package) is None:
            raise UserError(f"evaluator.tags=spacy: {package} is not installed; {INSTALL}")


def choose_tagger(tags: Tags, captions: Iterable[Caption]) -> Tagger:
    """The tagger called `tags`; "auto" takes the best that can be had.

    Args:
        captions: of the data set, for "frequent".

    Raises:
        UserError: an unknown name, spaCy is asked for and absent, or the captions have no tokens
            for "frequent" to learn from.
    """
    check_tags(tags)
    if tags == "auto":
        try:
            return SpacyTags()
        except UserError:
            frequent = FrequentTags.of_captions(captions)
            return frequent if frequent.known else NoTags()
    if tags == "frequent":
        frequent = FrequentTags.of_captions(captions)
        if not frequent.known:
            raise UserError(
                "evaluator.tags=frequent: the captions of this data set have no tokens to learn "
                "from; set evaluator.tags=none"
            )
        return frequent
    return SpacyTags() if tags == "spacy" else NoTags()


def restore_tagger(name: str, saved: Mapping[str, Any]) -> Tagger:
    """The tagger that `name` and `Tagger.saved` describe.

    Raises:
        UserError: spaCy is not installed here.
        KeyError: no such tagger, or something is missing in `saved`.
    """
    makers = {
        "none": NoTags,
        "spacy": SpacyTags,
        "frequent": lambda: FrequentTags(saved["known"]),
    }
    return makers[name]()


def _commonest(tokens: Counter[str]) -> str:
    """Ties are broken alphabetically, so that one data set gives one tagger."""
    return min(tokens, key=lambda token: (-tokens[token], token))


def _plain_words(text: str) -> list[str]:
    """Words of letters as spaCy would split them: hyphens join, 's and n't fall away."""
    joined = re.sub(r"n't\b|'\w+", " ", text.lower().replace("-", ""))
    return _LETTERS.findall(joined)
