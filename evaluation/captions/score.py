"""From captions by clip to the scores of one system under one protocol."""

from collections.abc import Mapping, Sequence
from importlib.metadata import version
from typing import Any

from evaluation.captions.base import CaptionBackEnd
from evaluation.captions.protocol import CaptionProtocol, check_references


def score_captions(
    references: Mapping[str, Sequence[str]],
    predictions: Mapping[str, str],
    protocol: CaptionProtocol,
    back_end: CaptionBackEnd,
) -> dict[str, Any]:
    """Metrics with what they depend on, ready for JSON.

    Args:
        references: one caption or more of each clip.
        predictions: a sentence for every clip of the references.

    Raises:
        UserError: a clip of whose references the protocol leaves no word, or the back end lacks
            something that it can't fetch.
    """
    prepared = [protocol.reference_sentences(captions) for captions in references.values()]
    check_references(protocol.name, references, prepared)
    metrics = back_end.score(
        prepared,
        [protocol.sentence(predictions[name]) for name in references],
    )
    return {
        "metrics": metrics,
        "protocol": protocol.name,
        "backend": back_end.name,
        "samples": len(references),
        "versions": {back_end.package: version(back_end.package)},
    }
