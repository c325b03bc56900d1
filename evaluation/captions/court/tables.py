"""The tables of a comparison: heads and rows that terminal, Markdown and page share."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from evaluation.captions.court.findings import Comparison, Score
from evaluation.captions.court.results import Court
from evaluation.escaping import escaped_markdown

TITLES = {
    "bleu1": "BLEU-1",
    "bleu4": "BLEU-4",
    "rougeL": "ROUGE-L",
    "cider": "CIDEr",
    "bert_raw": "BERTScore (raw)",
    "bert_rescaled": "BERTScore",
}
BEST, TIED = "*", "≈"
LEGEND = (
    f"{BEST} best of its column, {TIED} not told apart from the best (paired bootstrap, "
    "corrected); [low, high] 95 % interval over clips"
)


@dataclass(frozen=True)
class TextTable:
    """A title, a head, and rows of words."""

    title: str
    head: Sequence[str]
    rows: Sequence[Sequence[str]]


def score_tables(court: Court) -> list[TextTable]:
    """One table a metric: a row a system, a column a protocol."""
    found = court.findings.scores
    tables = []
    for metric in dict.fromkeys(one.metric for one in found):
        mine = {(one.system, one.protocol): one for one in found if one.metric == metric}
        protocols = list(dict.fromkeys(protocol for _, protocol in mine))
        systems = list(dict.fromkeys(system for system, _ in mine))
        rows = [
            [system, *(_cell(mine[system, protocol], court) for protocol in protocols)]
            for system in systems
        ]
        tables.append(TextTable(TITLES.get(metric, metric), ["system", *protocols], rows))
    return tables


def reversal_table(court: Court) -> TextTable:
    """Where two protocols put two systems in opposite order, the surest first."""
    rows = [
        [
            TITLES.get(one.here.metric, one.here.metric),
            f"{one.here.first} > {one.here.second}: {one.here.protocol}",
            difference_text(one.here),
            f"{one.there.second} > {one.there.first}: {one.there.protocol}",
            difference_text(one.there),
            "both orders stand" if one.told_apart else _doubt(one.outside),
        ]
        for one in sorted(court.findings.reversals, key=lambda one: (-one.told_apart, -one.outside))
    ]
    head = ["metric", "one order", "difference", "the other", "difference", "how sure"]
    return TextTable("Reversed orders one by one", head, rows)


def disagreement_table(court: Court) -> TextTable:
    """How many orders two protocols put the other way round, over all metrics that both have."""
    found: Counter[frozenset[str]] = Counter()
    sure: Counter[frozenset[str]] = Counter()
    for one in court.findings.reversals:
        pair = frozenset((one.here.protocol, one.there.protocol))
        found[pair] += 1
        sure[pair] += one.told_apart
    names = [one.name for one in court.protocols]
    rows = [
        [
            name,
            *(
                f"{found[frozenset((name, other))]} ({sure[frozenset((name, other))]})"
                if name != other
                else "·"
                for other in names
            ),
        ]
        for name in names
    ]
    title = "Orders that two protocols reverse, in brackets those that stand in both"
    return TextTable(title, ["", *names], rows if len(names) > 1 else [])


def undecided_table(court: Court) -> TextTable:
    """Pairs that a protocol does not tell apart."""
    rows = [
        [
            TITLES.get(one.metric, one.metric),
            one.protocol,
            f"{one.first}, {one.second}",
            difference_text(one),
            f"{one.p:.3g}",
            f"{one.corrected:.3g}",
        ]
        for one in court.findings.comparisons
        if not one.told_apart
    ]
    head = ["metric", "protocol", "systems", "difference", "p", "corrected"]
    return TextTable("Pairs that are not told apart", head, rows)


def summary(court: Court) -> list[str]:
    """What was compared and what came out, a line each."""
    counts = court.counts
    return [
        f"{len(court.systems)} systems, {court.clips:,} clips, {len(court.protocols)} protocols; "
        f"{court.resamples:,} drawings of the clips, seed {court.seed}.",
        f"{counts['told_apart']} of {counts['comparisons']} pairs are told apart after the "
        f"correction ({court.as_json()['test']['correction']}).",
        f"{counts['reversals']} of {counts['orders']} orders are reversed between two protocols; "
        f"{counts['reversals_outside']} of them outside the intervals of both differences, "
        f"{counts['reversals_told_apart']} after the correction.",
    ]


def left_out_lines(court: Court) -> list[str]:
    """What could not be had, and why."""
    return [
        f"left out: {one.protocol}{f' {one.metric}' if one.metric else ''}: {one.reason}"
        for one in court.left_out
    ]


def markdown(court: Court) -> str:
    """`table.md`."""
    parts = ["# Captions compared", "\n".join(f"- {line}" for line in summary(court)), LEGEND + "."]
    tables = [
        *score_tables(court),
        disagreement_table(court),
        reversal_table(court),
        undecided_table(court),
    ]
    parts += [_markdown_table(table) for table in tables if table.rows]
    if lines := left_out_lines(court):
        parts.append("\n".join(f"- {escaped_markdown(line)}" for line in lines))
    return "\n\n".join(parts) + "\n"


def difference_text(one: Comparison) -> str:
    """`+0.0280 [0.0170, 0.0400]`, of the first system less the second."""
    return f"{one.difference:+.4f} [{one.low:.4f}, {one.high:.4f}]"


def _doubt(outside: bool) -> str:
    return "outside both intervals, not after the correction" if outside else "within an interval"


def _cell(score: Score, court: Court) -> str:
    return f"{score.value:.3f} [{score.low:.3f}, {score.high:.3f}]{mark(score, court)}"


def mark(score: Score, court: Court) -> str:
    """Of the best of a column, and of those not told apart from it."""
    column = [
        one
        for one in court.findings.scores
        if (one.metric, one.protocol) == (score.metric, score.protocol)
    ]
    best = max(column, key=lambda one: one.value)
    if len(column) == 1 or score is best:
        return f" {BEST}" if len(column) > 1 else ""
    pair = {score.system, best.system}
    apart = any(
        one.told_apart
        for one in court.findings.comparisons
        if (one.metric, one.protocol) == (score.metric, score.protocol)
        and {one.first, one.second} == pair
    )
    return "" if apart else f" {TIED}"


def _markdown_table(table: TextTable) -> str:
    lines = [table.head, ["---"] * len(table.head), *table.rows]
    cells = [[escaped_markdown(cell) for cell in row] for row in lines]
    return "\n".join([f"## {table.title}", "", *(f"| {' | '.join(row)} |" for row in cells)])
