from pathlib import Path

import pytest
import yaml

from evaluation.leaderboard.published_file import find_tables, read_published
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


@pytest.mark.parametrize(("block", "name"), BLOCKS.items())
def test_a_table_holds_exactly_the_numbers_of_the_reference(block, name):
    found = yaml.safe_load(shared("reference", "published.yaml").read_text())[block]
    table = read_published(EXPERIMENTS / name / "published.yaml")
    wanted = [reference_numbers(row) for row in (*found["rows"], *found.get("independent", []))]
    ours = [
        {key: (quantity.value, quantity.interval) for key, quantity in row.numbers.items()}
        for row in table.rows
    ]
    assert sorted(map(sorted_items, ours)) == sorted(map(sorted_items, wanted))
    sources = [row.get("source", found.get("source")) for row in found["rows"]]
    assert {row.source for row in table.rows if not row.by} == set(sources)


def sorted_items(numbers):
    return sorted((key, str(value)) for key, value in numbers.items())


@pytest.mark.parametrize(("block", "name"), BLOCKS.items())
def test_arrows_and_counts_are_those_of_the_reference(block, name):
    found = yaml.safe_load(shared("reference", "published.yaml").read_text())[block]
    table = read_published(EXPERIMENTS / name / "published.yaml")
    arrow = {"up": "higher", "down": "lower", "right": "real"}
    wanted = {key: arrow[value] for key, value in found.get("metrics", {}).items()}
    assert not wanted or {column.key: column.better for column in table.columns} == wanted
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
    rows = {row.method: row for row in found if not (row.by or row.setting)}
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
