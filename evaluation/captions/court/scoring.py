"""Every system under every protocol: what clips add to each score, and what could not be had."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from typing import Any

from evaluation.captions.base import CaptionBackEnd
from evaluation.captions.clip_statistics import ClipStatistics
from evaluation.captions.court.findings import Key
from evaluation.captions.court.preparation import Prepared
from motiongpt.errors import UserError

SCALES = {"bert_raw": "bert_rescaled"}
"""Metrics that are another one on another scale: they can't put systems in another order."""


@dataclass(frozen=True)
class Protocol:
    """One way of scoring.

    Attributes:
        name: `BACK_END/PREPARATION`.
        metrics: that it gave.
        package, version: of the back end.
        facts: what the prepared sentences depend on.
    """

    name: str
    metrics: Sequence[str]
    package: str
    version: str
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class LeftOut:
    """A protocol, or one of its metrics, that could not be had.

    Attributes:
        metric: empty for all.
    """

    protocol: str
    metric: str
    reason: str


@dataclass
class Scored:
    """What was scored, metric by metric."""

    protocols: list[Protocol] = field(default_factory=list)
    left_out: list[LeftOut] = field(default_factory=list)
    by_key: dict[Key, ClipStatistics] = field(default_factory=dict)

    @property
    def statistics(self) -> dict[Key, ClipStatistics]:
        """What clips add, metrics and protocols together, in the order of the scoring."""
        metrics = list(dict.fromkeys(key.metric for key in self.by_key))
        ordered = sorted(self.by_key, key=lambda key: metrics.index(key.metric))
        return {key: self.by_key[key] for key in ordered}


def score_systems(
    back_end: CaptionBackEnd, prepared: Prepared, scored: Scored, tick: Callable[[], object]
) -> None:
    """Add the scores of every system under one protocol to `scored`.

    A metric that the back end can't have is left out for all systems, with its reason.

    Args:
        tick: called when a system has been scored.
    """
    name = protocol_name(back_end.name, prepared.name)
    metrics = [one for one in back_end.metrics if SCALES.get(one) not in back_end.metrics]
    for system, sentences in prepared.predictions.items():
        for metric, found in _attempted(
            back_end, prepared.references, sentences, metrics, name, scored
        ):
            scored.by_key[Key(metric, name, system)] = found
        metrics = [one for one in metrics if Key(one, name, system) in scored.by_key]
        tick()
    for key in [key for key in scored.by_key if key.protocol == name]:
        if key.metric not in metrics:  # a later system could not be scored
            del scored.by_key[key]
    if metrics:
        package = back_end.package
        scored.protocols.append(
            Protocol(name, metrics, package, version(package), dict(prepared.facts))
        )


def protocol_name(back_end: str, preparation: str) -> str:
    """`coco/raw`."""
    return f"{back_end}/{preparation}"


def _attempted(
    back_end: CaptionBackEnd,
    references: Sequence[Sequence[str]],
    sentences: Sequence[str],
    metrics: Sequence[str],
    name: str,
    scored: Scored,
) -> Iterator[tuple[str, ClipStatistics]]:
    """All metrics at once; where that fails, one by one, so that one's trouble costs no other."""
    if not metrics:
        return
    try:
        yield from back_end.clip_statistics(references, sentences, metrics).items()
        return
    except UserError as error:
        if len(metrics) == 1:
            scored.left_out.append(LeftOut(name, metrics[0], str(error)))
            return
    for metric in metrics:
        yield from _attempted(back_end, references, sentences, [metric], name, scored)
