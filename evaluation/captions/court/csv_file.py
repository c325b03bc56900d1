"""A comparison as CSV: one line a number, for programs that need not know a layout."""

import csv
import io
from collections.abc import Iterator

from evaluation.captions.court.findings import Comparison
from evaluation.captions.court.results import Court
from evaluation.escaping import csv_cell

FIELDS = (
    "kind",
    "metric",
    "protocol",
    "system",
    "other",
    "value",
    "low",
    "high",
    "p",
    "p_corrected",
    "told_apart",
    "other_protocol",
)


def csv_text(court: Court) -> str:
    """One line a score, a comparison of two systems, and a reversal, in full precision."""
    stream = io.StringIO()
    writer = csv.DictWriter(stream, FIELDS, lineterminator="\n")
    writer.writeheader()
    for row in _csv_rows(court):
        writer.writerow({key: csv_cell(value) for key, value in row.items()})
    return stream.getvalue()


def _csv_rows(court: Court) -> Iterator[dict[str, object]]:
    for score in court.findings.scores:
        yield {
            "kind": "score",
            **{key: getattr(score, key) for key in ("metric", "protocol", "system")},
            **{key: repr(getattr(score, key)) for key in ("value", "low", "high")},
        }
    for one in court.findings.comparisons:
        yield {"kind": "comparison", **_csv_comparison(one)}
    for found in court.findings.reversals:
        yield {
            "kind": "reversal",
            "metric": found.here.metric,
            "protocol": found.here.protocol,
            "system": found.here.first,
            "other": found.here.second,
            "told_apart": "yes" if found.told_apart else "",
            "other_protocol": found.there.protocol,
        }


def _csv_comparison(one: Comparison) -> dict[str, object]:
    return {
        "metric": one.metric,
        "protocol": one.protocol,
        "system": one.first,
        "other": one.second,
        "value": repr(one.difference),
        "low": repr(one.low),
        "high": repr(one.high),
        "p": repr(one.p),
        "p_corrected": repr(one.corrected),
        "told_apart": "yes" if one.told_apart else "",
    }
