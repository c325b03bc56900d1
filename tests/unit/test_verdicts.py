from dataclasses import replace

import pytest

from evaluation.leaderboard.comparability import differences
from evaluation.leaderboard.published import Column
from evaluation.leaderboard.published_file import read_published
from evaluation.leaderboard.quantity import Quantity, converted, printed_quantity
from evaluation.leaderboard.verdict import judge
from evaluation.reports.results_file import read_results
from motiongpt.errors import UserError
from tests.unit.results_files import FACTS, number, write

SHIPPED = {"guo2022": {**FACTS["protocol"], "generation": {"caption": "random"}}}
OTHERS = """
  - method: Other
    match: {method: t2m_gpt}
    source: paper
    numbers: {fid: [0.116, 0.004]}
  - method: Ours, at its best
    match: {method: motiongpt, backbone: t5_base}
    otherwise: true
    source: paper
    numbers: {r: 0.7}
"""
TABLE = """
title: A table
sources: {paper: a paper}
protocol:
  {data: humanml3d, split: test, names: [guo2022], evaluator: t2m_published, words: glove,
   replications: 20}
columns:
  - {key: fid, task: text_to_motion, metric: fid, title: FID, better: lower}
  - {key: r, task: text_to_motion, metric: r_top1, title: "R@1", better: higher}
  - {key: div, task: text_to_motion, metric: diversity, title: Diversity, better: real}
  - {key: ade, task: prediction, metric: ade, title: ADE, better: lower, unit: mm}
  - {key: cider, task: motion_to_text, metric: cider, title: CIDEr, better: higher, unit: "%"}
rows:
  - {method: Real, role: real, source: paper, numbers: {fid: 0.002, div: 9.503}}
  - method: Small
    match: {method: motiongpt, backbone: t5_small}
    source: paper
    numbers: {fid: 9.0}
  - method: Ours
    match: {method: motiongpt}
    source: paper
    protocol: {references: raw, sentences: raw}
    numbers: {fid: [0.160, 0.008], r: 0.700, div: 9.411, ade: 47.0, cider: 28.2}
"""


@pytest.fixture
def table(tmp_path):
    (tmp_path / "published.yaml").write_text(TABLE + OTHERS.lstrip("\n"))
    return read_published(tmp_path / "published.yaml")


def verdict(tmp_path, table, one, *others, shipped=SHIPPED, **changes):
    run = read_results(write(tmp_path / "run", one, *others, **changes))
    column = next(c for c in table.columns if c.metric == one["metric"])
    return judge(run, run.results[0], column, table, shipped)


SECONDARY = """
  - method: Ours, as others repeat it
    match: {method: motiongpt}
    secondary: true
    source: paper
    numbers: {fid: [0.160, 0.008], r: 0.900}
"""


def test_what_others_repeat_judges_only_where_the_own_source_has_nothing(tmp_path):
    for numbers, against in (
        ("numbers: {fid: [0.160, 0.008], r: 0.700,", "Ours: 0.700"),
        ("numbers: {fid: [0.160, 0.008],", "Ours, as others repeat it, read in a secondary"),
    ):
        text = TABLE.replace("numbers: {fid: [0.160, 0.008], r: 0.700,", numbers)
        # In front of the method's own row: the order must not matter.
        text = text.replace("  - method: Small", SECONDARY.strip("\n") + "\n  - method: Small")
        (tmp_path / "published.yaml").write_text(text)
        table = read_published(tmp_path / "published.yaml")
        found = verdict(tmp_path, table, number(metric="r_top1", value=0.7))
        assert found.against.startswith(against)


@pytest.mark.parametrize(
    ("value", "interval", "outcome"),
    [
        (0.160, 0.0, "reproduced"),
        (0.171, 0.003, "reproduced"),  # 0.168 is in both intervals
        (0.172, 0.003, "worse"),
        (0.149, 0.003, "reproduced"),
        (0.148, 0.003, "better"),
    ],
)
def test_intervals_that_overlap_reproduce(tmp_path, table, value, interval, outcome):
    assert verdict(tmp_path, table, number(value=value, interval=interval)).outcome == outcome


@pytest.mark.parametrize(
    ("value", "outcome"),
    [(0.7005, "reproduced"), (0.6995, "reproduced"), (0.7006, "better"), (0.6994, "worse")],
)
def test_without_a_printed_interval_half_the_last_digit_stands_for_it(
    tmp_path, table, value, outcome
):
    one = number(metric="r_top1", value=value, interval=0.0, better="higher")
    assert verdict(tmp_path, table, one).outcome == outcome


@pytest.mark.parametrize(
    ("value", "real", "outcome"),
    [
        (9.6, 9.5, "worse"),  # 0.1 from its own real motion; published: 0.092 from its own
        (9.59, 9.5, "better"),
        (8.0, 8.05, "better"),
        (9.411, 3.0, "reproduced"),
    ],
)
def test_where_real_motion_is_best_nearness_decides(tmp_path, table, value, real, outcome):
    one = number(metric="diversity", value=value, interval=0.0, better="real")
    beside = {**one, "row": "real", "value": real}
    assert verdict(tmp_path, table, one, beside).outcome == outcome


def test_without_real_motion_nearness_is_not_known(tmp_path, table):
    one = number(metric="diversity", value=8.0, interval=0.0, better="real")
    found = verdict(tmp_path, table, one)
    assert str(found) == "not comparable: other value of real motion"


REASONS = [
    ({"data__name": "bandai_namco"}, {}, "other data"),
    ({"evaluator__name": "own"}, {}, "other evaluator"),
    ({"evaluator__words": "learned"}, {}, "other words"),
    ({"protocol__name": "ours"}, {}, "other protocol"),
    ({"protocol__scoring__packing": "released"}, {}, "other protocol"),
    ({"data__split": "val"}, {}, "other split"),
    ({"protocol__clips": 300}, {}, "a subset of clips"),
    ({"protocol__replications": 5}, {}, "fewer replications"),
]


@pytest.mark.parametrize(("changes", "of_number", "said"), REASONS)
def test_every_part_that_differs_is_named(tmp_path, table, changes, of_number, said):
    found = verdict(tmp_path, table, number(**of_number), **changes)
    assert found.outcome == "not comparable" and str(found) == f"not comparable: {said}"
    assert "Ours: 0.160" in found.detail


def test_all_parts_come_in_the_order_of_importance(tmp_path, table):
    changes = {key: value for change, _, _ in reversed(REASONS) for key, value in change.items()}
    found = verdict(tmp_path, table, number(replications=1, interval=None), **changes)
    parts = [reason.part for reason in found.reasons]
    assert parts == [
        "data",
        "evaluator",
        "words",
        "protocol",
        "split",
        "subset of clips",
        "replications",
    ]


def test_the_settings_that_differ_are_listed(tmp_path, table):
    found = verdict(tmp_path, table, number(), protocol__scoring__packing="released")
    assert "guo2022 with other settings: scoring.packing" in found.detail
    found = verdict(tmp_path, table, number(), protocol={"name": "mine", "scoring": {"packing": 1}})
    assert "mine, published: guo2022; differs in scoring.packing" in found.detail


def test_captions_care_for_references_and_no_evaluator(tmp_path, table):
    one = number(task="motion_to_text", metric="cider", value=0.282, unit="", better="higher")
    found = verdict(tmp_path, table, one, evaluator=None)
    assert found.outcome == "reproduced"  # 0.282 is 28.2 %
    found = verdict(tmp_path, table, one, protocol__scoring__references="token")
    assert "other references (token, published: raw)" in found.detail
    found = verdict(tmp_path, table, one, captions__references="normalised")
    assert str(found) == "not comparable: other sentences"


def test_units_are_converted_or_named(tmp_path, table):
    one = number(task="prediction", metric="ade", value=0.047, unit="m", interval=0.0)
    assert verdict(tmp_path, table, one, evaluator=None).outcome == "reproduced"
    found = verdict(tmp_path, table, {**one, "unit": "frames"}, evaluator=None)
    assert str(found) == "not comparable: other unit"


def test_a_run_is_put_beside_its_own_counterpart(tmp_path, table):
    found = verdict(tmp_path, table, number(), method__facts__backbone="t5_small")
    assert found.against == "Small: 9.0" and found.outcome == "better"
    assert verdict(tmp_path, table, number(row="mean pose")) is None
    real = number(row="real", value=0.002, interval=0.0)
    assert verdict(tmp_path, table, real).outcome == "reproduced"
    assert "value of real motion" in str(verdict(tmp_path, table, {**real, "value": 0.1}))


def test_a_method_is_judged_by_its_own_rows_only(tmp_path, table):
    found = verdict(tmp_path, table, number(value=0.116), method__name="t2m_gpt")
    assert found.against == "Other: 0.116 ± 0.004" and found.outcome == "reproduced"
    assert verdict(tmp_path, table, number(value=0.116)).against == "Ours: 0.160 ± 0.008"
    assert verdict(tmp_path, table, number(), method__name="lookup") is None
    # The row that speaks for whatever else no row matches is of one method too.
    one = number(metric="r_top1", value=0.7, better="higher")
    rows = [row for row in table.rows if row.numbers.keys() != {"fid", "r", "div", "ade", "cider"}]
    others = replace(table, rows=rows)
    assert verdict(tmp_path, others, one).against == "Ours, at its best: 0.7"
    assert verdict(tmp_path, others, one, method__name="t2m_gpt") is None


def test_what_a_number_depends_on_is_what_it_says(tmp_path, table):
    """A metric that nobody listed, made with the evaluator, is not comparable under another."""
    column = Column("new", "text_to_motion", "new_distance", "New", "lower")
    row = replace(table.rows[2], numbers={"new": Quantity(0.16, 0.01)})
    newer = replace(table, columns=[column], rows=[row])
    own = {"evaluator__name": "own"}
    one = number(metric="new_distance", judge="evaluator")
    assert str(verdict(tmp_path, newer, one, **own)) == "not comparable: other evaluator"
    assert verdict(tmp_path, newer, {**one, "judge": "none"}, **own).outcome == "reproduced"
    captions = {"captions__references": "normalised"}
    found = verdict(tmp_path, newer, {**one, "judge": "captions"}, **captions)
    assert str(found) == "not comparable: other sentences"


def test_a_few_clips_less_are_the_same_split(tmp_path, table):
    run = read_results(write(tmp_path / "run", number(cases=4384)))
    protocol = table.protocol.__class__(clips=4400)
    assert not differences(run, run.results[0], protocol, {})
    run = read_results(write(tmp_path / "run", number(cases=2000)))
    assert [d.part for d in differences(run, run.results[0], protocol, {})] == ["subset of clips"]


def test_printed_digits_are_kept():
    assert printed_quantity("0.160", "here") == Quantity(0.16, None, 3)
    assert printed_quantity(["11.08", "0.097"], "here").text(3) == "11.08 ± 0.097"
    assert printed_quantity("0.160", "here").reach == pytest.approx(0.0005)
    assert converted(2.0, "m", "mm") == 2000 and converted(1, "m", "%") is None
    for wrong in ("many", ["1", "2", "3"], [], {"a": "1"}):
        with pytest.raises(UserError, match="here: .* is no number"):
            printed_quantity(wrong, "here")
