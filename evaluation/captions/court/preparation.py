"""How the sentences of a comparison are prepared: by a caption protocol, or as the data set did."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import cycle, islice
from typing import Any

from evaluation.captions.protocol import PROTOCOLS, check_references
from evaluation.evaluators.sentence_tags import SPACY_MODEL, SpacyTags
from motiongpt.errors import UserError

PROCESSED = "processed"
PREPARATIONS = (*PROTOCOLS, PROCESSED)
REFERENCES = 3  # of every clip, as of the caption protocols


@dataclass(frozen=True)
class Prepared:
    """Sentences as a back end takes them.

    Attributes:
        name: of the preparation, one of `PREPARATIONS`.
        references: the same number of every clip.
        predictions: system -> one sentence a clip, in the order of the references.
        facts: what the sentences depend on besides the preparation's name.
    """

    name: str
    references: Sequence[Sequence[str]]
    predictions: Mapping[str, Sequence[str]]
    facts: Mapping[str, Any] = field(default_factory=dict)


def prepare(
    name: str,
    references: Mapping[str, Sequence[str]],
    systems: Mapping[str, Mapping[str, str]],
    tokens: Mapping[str, Sequence[str]] | None = None,
    shown: Callable[[Sequence[str]], Iterable[str]] = lambda captions: captions,
) -> Prepared:
    """Prepare captions by clip, and the sentences of every system for the same clips.

    `processed` is what TM2T trains and is evaluated on, and what MotionGPT's released code scores
    against: references are the data set's processed words (nouns and verbs in their base form, no
    punctuation), predictions stay as they were written.

    Args:
        tokens: the data set's own `word/TAG` tokens of each caption; without them `processed` asks
            spaCy for them, as HumanML3D did.
        shown: goes through the captions that spaCy reads, perhaps with a bar.

    Raises:
        UserError: no such preparation, no spaCy for `processed`, or a clip of whose references no
            word is left.
    """
    if name not in PREPARATIONS:
        raise UserError(f"{name}: no such preparation; valid: {', '.join(PREPARATIONS)}")
    if name == PROCESSED:
        prepared = _processed(references, systems, tokens, shown)
    else:
        prepared = _by_protocol(name, references, systems)
    check_references(name, references, prepared.references)
    return prepared


def _by_protocol(
    name: str,
    references: Mapping[str, Sequence[str]],
    systems: Mapping[str, Mapping[str, str]],
) -> Prepared:
    protocol = PROTOCOLS[name]
    return Prepared(
        name,
        [protocol.reference_sentences(captions) for captions in references.values()],
        {
            system: [protocol.sentence(text) for text in sentences.values()]
            for system, sentences in systems.items()
        },
    )


def _processed(
    references: Mapping[str, Sequence[str]],
    systems: Mapping[str, Mapping[str, str]],
    tokens: Mapping[str, Sequence[str]] | None,
    shown: Callable[[Sequence[str]], Iterable[str]],
) -> Prepared:
    facts: dict[str, Any] = {"tokens": "of the references' file"}
    if tokens is None:
        tagger = _tagger()
        facts = {"tokens": tagger.name, **tagger.saved()}
        every = [caption for captions in references.values() for caption in captions]
        made = iter([" ".join(words) for words in tagger.tokens_of_all(shown(every))])
        tokens = {clip: list(islice(made, len(captions))) for clip, captions in references.items()}
    return Prepared(
        PROCESSED,
        [[_words(one) for one in islice(cycle(tokens[clip]), REFERENCES)] for clip in references],
        {system: list(sentences.values()) for system, sentences in systems.items()},
        facts,
    )


def _tagger() -> SpacyTags:
    try:
        return SpacyTags()
    except UserError as error:
        raise UserError(
            'processed references: no "tokens": [...] in the references\' file, and no spaCy with '
            f"{SPACY_MODEL} to make them; add one of the two"
        ) from error


def _words(tokens: str) -> str:
    """`a man kick` of `a/DET man/NOUN kick/VERB`."""
    return " ".join(token.rpartition("/")[0] or token for token in tokens.split())
