"""Which parts of the protocol keep a number of ours from being put beside a published one."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from evaluation.leaderboard.published import PublishedProtocol
from evaluation.leaderboard.runs import flat, references
from evaluation.replications.results import Result
from evaluation.reports.results_file import ResultsFile

# Of a protocol's settings, those that are parts of their own below.
OWN_PARTS = frozenset({"name", "split", "clips", "replications", "scoring.references"})
# Copies of one split differ by a few clips that a loader drops; fewer than this are a subset.
SAME_SPLIT = 0.95
# Parts of which there is too little, not another one.
LESS = {"subset of clips": "a subset of clips", "replications": "fewer replications"}


@dataclass(frozen=True)
class Difference:
    """One part of the protocol that differs: its name, and what it is on both sides."""

    part: str
    detail: str

    @property
    def words(self) -> str:
        """What differs, in two or three words."""
        return LESS.get(self.part, f"other {self.part}")

    def __str__(self) -> str:
        return f"{self.words} ({self.detail})"


def differences(
    run: ResultsFile,
    number: Result,
    published: PublishedProtocol,
    shipped: Mapping[str, Mapping[str, Any]],
) -> tuple[Difference, ...]:
    """What differs between a number and a published one; empty: they may be compared.

    The order is that of importance, and fixed: data, evaluator, words, references, sentences,
    protocol, split, subset of clips, replications. Left out are parts that a number does not
    depend on (a joint error on the evaluator; its `judge` says so) and parts that are not known of
    the published number.

    Args:
        shipped: protocol name -> its settings as this project ships them: a run that calls its
            protocol by a name but changed a setting is told apart.
    """
    return tuple(_differences(run, number, published, shipped))


def _differences(
    run: ResultsFile,
    number: Result,
    published: PublishedProtocol,
    shipped: Mapping[str, Mapping[str, Any]],
) -> Iterator[Difference]:
    if published.data and run.data.name != published.data:
        yield _differs("data", run.data.name, published.data)
    if number.judge == "evaluator":
        evaluator = run.evaluator or {}
        for part, key, wanted in (
            ("evaluator", "name", published.evaluator),
            ("words", "words", published.words),
        ):
            if wanted and evaluator.get(key) != wanted:
                yield _differs(part, str(evaluator.get(key, "none")), wanted)
    if number.judge == "captions":
        captions = run.captions or {}
        for part, own, wanted in (
            ("references", references(run), published.references),
            ("sentences", str(captions.get("references", "")), published.sentences),
        ):
            if wanted and own != wanted:
                yield _differs(part, own or "not recorded", wanted)
    yield from _protocol(run, published, shipped)
    if published.split and run.data.split != published.split:
        yield _differs("split", run.data.split, published.split)
    if run.protocol.get("clips"):
        yield Difference("subset of clips", f"the first {run.protocol['clips']} only")
    elif published.clips and number.cases < SAME_SPLIT * published.clips:
        yield Difference("subset of clips", f"{number.cases}, published: {published.clips}")
    # Of the protocol, not of the number: what nothing is drawn for is the same in each of them.
    replications = int(run.protocol.get("replications", 1))
    if replications < published.replications:
        yield Difference("replications", f"{replications}, published: {published.replications}")


def _protocol(
    run: ResultsFile, published: PublishedProtocol, shipped: Mapping[str, Mapping[str, Any]]
) -> Iterator[Difference]:
    name = str(run.protocol["name"])
    if not published.names:
        return
    if name not in published.names:
        wanted = published.names[0]
        changed = _changed(run.protocol, shipped.get(wanted))
        also = f"; differs in {', '.join(changed)}" if changed else ""
        yield Difference("protocol", f"{name}, published: {' or '.join(published.names)}{also}")
    elif changed := _changed(run.protocol, shipped.get(name)):
        yield Difference("protocol", f"{name} with other settings: {', '.join(changed)}")


def _changed(own: Mapping[str, Any], shipped: Mapping[str, Any] | None) -> list[str]:
    if shipped is None:
        return []
    mine, theirs = flat(own), flat(shipped)
    return sorted(
        key
        for key in {*mine, *theirs} - OWN_PARTS
        if mine.get(key, theirs.get(key)) != theirs.get(key, mine.get(key))
    )


def _differs(part: str, own: str, published: str) -> Difference:
    return Difference(part, f"{own}, published: {published}")
