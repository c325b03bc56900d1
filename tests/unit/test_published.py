import csv
from pathlib import Path

import pytest
import yaml

from evaluation.leaderboard.board import build_board
from evaluation.leaderboard.csv_file import csv_text
from evaluation.leaderboard.html_page import html_page
from evaluation.leaderboard.latex import latex
from evaluation.leaderboard.markdown import markdown
from evaluation.leaderboard.plain import plain_table
from evaluation.leaderboard.published_file import find_tables, read_published
from evaluation.leaderboard.words import SECONDARY_MEANS
from launch.composition.studies import EXPERIMENTS
from motiongpt.errors import UserError
from tests.shared import shared

# Block of the reference file -> table of ours.
BLOCKS = {
    "text_to_motion_humanml3d": "t2m",
    "text_to_motion_kit": "kit",
    "motion_prediction_humanml3d": "prediction",
    "reconstruction_humanml3d": "reconstruction",
    "ablation_codebook_size": "codebook",
    "ablation_downsampling": "downsampling",
    "ablation_backbone": "backbone",
    "motion_to_text_humanml3d_rescored": "motion_to_text",
}
GROUPS = ("t2m", "m2t", "prediction", "inbetween")
NUMBERS = [
    "r_top1",
    "r_top2",
    "r_top3",
    "fid",
    "mm_dist",
    "diversity",
    "multimodality",
    "ade",
    "fde",
    "mpjpe",
    "pampjpe",
    "accel",
    "bleu1",
    "bleu4",
    "rougeL",
    "cider",
    "bert_raw",
    "bert_rescaled",
]


def reference_numbers(row):
    """Column key -> (value, interval) as the reference file has them."""
    found = {}
    for group in ("", *GROUPS):
        for key, value in (row.get(group, {}) if group else row).items():
            if key in NUMBERS:
                value, interval = value if isinstance(value, list) else (value, None)
                interval = row.get(f"{key}_ci", interval)
                found[f"{group}_{key}" if group else key] = (value, interval)
    return found


# Key in ../shared/reference/published_more.yaml -> those of our tables.
MORE_KEYS = {
    "r_precision_top1": ("r_top1", "msR1"),
    "r_precision_top2": ("r_top2",),
    "r_precision_top3": ("r_top3",),
    "rouge_l": ("rougeL",),
    "bert_score": ("bert_rescaled",),
    "bert_score_rescaled": ("bert_rescaled",),
    "bert_score_raw": ("bert_raw",),
}
TASKS = {"text_to_motion": "t2m", "motion_to_text": "m2t", "in_between": "inbetween"}
FIRST_HAND = {
    "motiongpt_paper",
    "motius_m2t",
    "motius_temporal",
    "motius_t2m",
    "motiongpt_issue_97",
}


@pytest.mark.parametrize(("block", "name"), BLOCKS.items())
def test_a_table_holds_the_numbers_of_the_reference(block, name):
    found = yaml.safe_load(shared("reference", "published.yaml").read_text())[block]
    table = read_published(EXPERIMENTS / name / "published.yaml")
    for row in (*found["rows"], *found.get("independent", [])):
        wanted = reference_numbers(row)
        assert any(holds(ours.numbers, wanted) for ours in table.rows), row


def holds(ours, wanted):
    """Whether a row has these numbers; the reference may print fewer digits of them."""
    return bool(wanted) and all(
        key in ours
        and same(ours[key].value, value)
        and (interval is None or same(ours[key].interval, interval))
        for key, (value, interval) in wanted.items()
    )


def same(ours, printed):
    digits = len(str(printed).partition(".")[2])
    return ours is not None and abs(ours - printed) <= 0.5001 * 10.0**-digits


def test_every_one_of_the_196_rows_is_in_a_table_and_secondary_ones_are_marked():
    rows = yaml.safe_load(shared("reference", "published_more.yaml").read_text())["rows"]
    tables = find_tables(EXPERIMENTS)
    assert len(rows) == 196
    for row in rows:
        matching = [
            ours
            for table in tables
            for ours in table.rows
            if table.protocol.data in (row["data"], "humanml3d")
            and (table.protocol.data == "kit") == (row["data"] == "kit")
            and more_holds(ours, row)
        ]
        assert matching, row
        own = row["source"] in FIRST_HAND or row["model"] == "BiMoGen"
        if own:
            assert any(not ours.secondary for ours in matching), row


def more_holds(ours, row):
    """Whether a row of ours is this one: every number, under the column's key."""
    percent = 100 if row["source"] == "motius_m2t" else 1
    judges = [
        judge for judge in ("ms", "utmr") if any(key.startswith(judge) for key in row["values"])
    ]
    if judges:
        return any(judge_holds(ours, row["values"], judge) for judge in judges)
    found = {}
    for key, one in row["values"].items():
        names = MORE_KEYS.get(key, (key,))
        value = one["value"]
        if key.startswith(("bleu", "rouge", "cider", "bert")):
            value = value * percent
        found[names[0]] = (value, one.get("ci"))
    prefix = TASKS.get(row["task"], row["task"])
    grouped = {f"{prefix}_{key}": value for key, value in found.items()}
    return any(close(ours.numbers, some) for some in (found, grouped))


def judge_holds(ours, values, judge):
    keys = {
        "R1": "r_top1",
        "R2": "r_top2",
        "R3": "r_top3",
        "FID": "fid",
        "FIDNorm": "fid",
        "MM": "mm_dist",
        "Div": "diversity",
    }
    own = {
        keys[key[len(judge) :]]: (one["value"], None)
        for key, one in values.items()
        if key.startswith(judge)
    }
    return close(ours.numbers, own)


def close(ours, wanted):
    return bool(wanted) and all(
        key in ours
        and abs(ours[key].value - value) <= 6e-5
        and (interval is None or ours[key].interval == interval)
        for key, (value, interval) in wanted.items()
    )


MEANS = SECONDARY_MEANS.partition("'")[0]  # the page escapes the rest


def test_a_secondary_row_is_marked_and_gives_way_to_the_methods_own_source():
    table = find_tables(EXPERIMENTS, ["t2m"])[0]
    assert {row.source for row in table.rows if row.secondary} == {"awesome", "bimogen_paper"}
    board = build_board([table], [], {})
    (shown,) = board.tables
    assert "T2M-GPT †" in markdown(board) and SECONDARY_MEANS in markdown(board)
    assert "T2M-GPT †" in html_page(board) and MEANS in html_page(board)
    assert "T2M-GPT †" in plain_table(shown) and SECONDARY_MEANS in plain_table(shown)
    assert r"T2M-GPT $\dagger$" in latex(board)
    lines = list(csv.DictReader(csv_text(board).splitlines()))
    marked = {(line["method"], line["source"][:6]) for line in lines if line["secondary"] == "yes"}
    assert ("BAMM", "README") in marked and not any(method == "BiMoGen" for method, _ in marked)


@pytest.mark.parametrize(("block", "name"), BLOCKS.items())
def test_arrows_and_counts_are_those_of_the_reference(block, name):
    found = yaml.safe_load(shared("reference", "published.yaml").read_text())[block]
    table = read_published(EXPERIMENTS / name / "published.yaml")
    arrow = {"up": "higher", "down": "lower", "right": "real"}
    wanted = {key: arrow[value] for key, value in found.get("metrics", {}).items()}
    assert {column.key: column.better for column in table.columns}.items() >= wanted.items()
    samples = sorted(row["samples"] for row in found.get("independent", []) if "samples" in row)
    if samples:
        assert sorted(row.protocol.clips for row in table.rows if row.protocol.clips) == samples


def test_every_table_is_found_and_says_where_it_was_read():
    tables = find_tables(EXPERIMENTS)
    assert {table.name for table in tables} >= set(BLOCKS.values())
    for table in tables:
        assert all(row.source in table.sources for row in table.rows)
        assert all(table.protocol.data for row in table.rows)
        measured = {key for row in table.rows for key in row.numbers}
        assert measured == {column.key for column in table.columns}


def test_digits_are_those_printed():
    found = find_tables(EXPERIMENTS, ["t2m"])[0].rows
    rows = {row.method: row for row in found if not (row.by or row.setting or row.secondary)}
    assert rows["MotionGPT"].numbers["fid"].text(0) == "0.160 ± 0.008"
    assert rows["MotionGPT"].numbers["r_top3"].text(0) == "0.700"


# Methods of ours, here or to come, that rows of published tables may speak of.
METHODS = {
    "motiongpt",
    "t2m_gpt",
    "vposer_t",
    "actor",
    "mld_vae",
    "tm2t",
    "mdm",
    "mld",
    "momask",
    "motiongpt3",
}


def test_every_row_that_judges_ours_names_one_method():
    judging = [row for table in find_tables(EXPERIMENTS) for row in table.rows if row.match]
    assert len(judging) > 30
    for row in judging:
        (method,) = row.match["method"]
        assert method in METHODS and (method == "motiongpt") == (row.method == "MotionGPT")


def test_an_unknown_table_gets_the_list():
    with pytest.raises(UserError, match="nowhere: no such table; valid: backbone, codebook"):
        find_tables(EXPERIMENTS, ["nowhere"])


GOOD = Path(EXPERIMENTS / "downsampling" / "published.yaml").read_text


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("title: Downsampling", "titel: Downsampling", "title is missing"),
        ("axis:", "axes:", "axes: no such key; valid: title"),
        ("mpjpe: 76.2", "mpjpe: much", r"rows\[0\].numbers.mpjpe: 'much' is no number"),
        ("mpjpe: 76.2", "mpjp: 76.2", r"rows\[0\].numbers: mpjp: no such key; valid: mpjpe"),
        ("better: real,", "better: right,", r"columns\[4\].better: right"),
        ("source: motiongpt_readme", "source: hearsay", r"rows\[0\].source: hearsay"),
        ("replications: 20", "replications: many", "protocol.replications: 'many' is no count"),
        ("otherwise: true", "otherwise: perhaps", r"rows\[2\].otherwise: 'perhaps'"),
        ("otherwise: true", "secondary: perhaps", r"rows\[2\].secondary: 'perhaps'"),
        ("words: glove", "words: [", "not YAML"),
        ("{method: [motiongpt], frames", "{frames", r"rows\[0\].match: method is missing"),
        (
            "    match: {method: [motiongpt], frames_per_token: 4}\n",
            "",
            r"rows\[2\]: otherwise needs",
        ),
    ],
)
def test_a_broken_file_is_one_line_with_the_key(tmp_path, old, new, said):
    path = tmp_path / "published.yaml"
    path.write_text(GOOD().replace(old, new, 1))
    with pytest.raises(UserError, match=said) as caught:
        read_published(path)
    assert str(path) in str(caught.value) and "\n" not in str(caught.value)
