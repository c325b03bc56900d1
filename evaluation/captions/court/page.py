"""A comparison as one HTML page that needs nothing else: no network, no other file."""

from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined

from evaluation.captions.court.figures import LEFT, RIGHT, SMALL, WIDTH, colour, difference, figures
from evaluation.captions.court.results import Court
from evaluation.captions.court.tables import (
    LEGEND,
    TITLES,
    difference_text,
    disagreement_table,
    left_out_lines,
    score_tables,
    summary,
    undecided_table,
)

TEMPLATE = "page.html.j2"


def html_page(court: Court) -> str:
    """Figures with intervals, reversals, and all tables; texts of files are escaped."""
    return (
        _environment()
        .get_template(TEMPLATE)
        .render(
            court=court,
            summary=summary(court),
            legend=LEGEND,
            titles=TITLES,
            figures=figures(court),
            size={"width": WIDTH, "left": LEFT, "right": RIGHT, "small": SMALL},
            systems=[(one["name"], colour(court, one["name"])) for one in court.systems],
            disagreement=disagreement_table(court),
            reversals=[(one, difference(one)) for one in court.findings.reversals],
            difference_text=difference_text,
            tables=[*score_tables(court), undecided_table(court)],
            left_out=left_out_lines(court),
            facts=court.as_json(),
        )
    )


@cache
def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("evaluation.captions.court", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
