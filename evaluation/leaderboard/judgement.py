"""All verdicts on a row in few words: each outcome once, each reason once, with its columns."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from evaluation.leaderboard.published import Column
from evaluation.leaderboard.verdict import Outcome, Verdict


@dataclass(frozen=True)
class Judgement:
    """One outcome of the verdicts on a row.

    Attributes:
        columns: titles of the columns that it is on.
        reasons: words of each part that differs -> titles of the columns that it concerns.
        details: the same parts with what they are on both sides, each once.
        spreads: that the verdicts went by, each once.
    """

    outcome: Outcome
    columns: list[str] = field(default_factory=list)
    reasons: dict[str, list[str]] = field(default_factory=dict)
    details: list[str] = field(default_factory=list)
    spreads: list[str] = field(default_factory=list)

    @property
    def why(self) -> list[str]:
        """Reasons; those that do not concern all columns say which."""
        return [
            words if len(columns) == len(self.columns) else f"{words} ({', '.join(columns)})"
            for words, columns in self.reasons.items()
        ]


def judgements(verdicts: Mapping[str, Verdict]) -> list[Judgement]:
    """Column title -> verdict, gathered by outcome in the order of the columns."""
    found: dict[Outcome, Judgement] = {}
    for title, verdict in verdicts.items():
        one = found.setdefault(verdict.outcome, Judgement(verdict.outcome))
        one.columns.append(title)
        if verdict.spread and verdict.spread not in one.spreads:
            one.spreads.append(verdict.spread)
        for reason in verdict.reasons:
            one.reasons.setdefault(reason.words, []).append(title)
            if str(reason) not in one.details:
                one.details.append(str(reason))
    return list(found.values())


def in_words(found: Sequence[Judgement]) -> str:
    """One line; a verdict on all numbers needs no list of columns."""
    parts = []
    for one in found:
        where = f" ({', '.join(one.columns)})" if len(found) > 1 else ""
        why = f": {', '.join(one.why)}" if one.reasons else ""
        parts.append(f"{one.outcome}{where}{why}")
    if spreads := dict.fromkeys(spread for one in found for spread in one.spreads):
        parts.append(f"spread: {', '.join(spreads)}")
    return "; ".join(parts)


def column_title(column: Column, with_unit: bool = False) -> str:
    """Its title with the group in front, if it has one, and the unit behind."""
    title = f"{column.group} {column.title}" if column.group else column.title
    return f"{title} ({column.unit})" if with_unit and column.unit else title
