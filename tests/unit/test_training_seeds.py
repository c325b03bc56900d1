"""Models that differ in their training seeds alone are one row, with two spreads."""

import csv
import io

import pytest

from evaluation.leaderboard.board import build_board
from evaluation.leaderboard.csv_file import csv_text
from evaluation.leaderboard.html_page import html_page
from evaluation.leaderboard.latex import latex
from evaluation.leaderboard.markdown import markdown
from evaluation.leaderboard.plain import plain_table
from evaluation.leaderboard.published_file import read_published
from evaluation.leaderboard.runs import gather
from evaluation.leaderboard.training_seeds import JoinedRuns, over_training_seeds
from evaluation.replications.intervals import student_interval
from tests.unit.results_files import number, write

TABLE = """
title: A table
sources: {paper: a paper}
axis: codebook_size
axis_title: K
protocol: {data: humanml3d, names: [guo2022], evaluator: t2m_published, replications: 20}
columns:
  - {key: fid, task: text_to_motion, metric: fid, title: FID, better: lower}
  - {key: ade, task: prediction, metric: ade, title: ADE, better: lower, unit: mm}
  - {key: div, task: text_to_motion, metric: diversity, title: Diversity, better: real}
rows:
  - method: Ours
    setting: "512"
    match: {method: [motiongpt], codebook_size: ["512"]}
    source: paper
    numbers: {fid: [0.160, 0.001]}
"""


@pytest.fixture
def table(tmp_path):
    (tmp_path / "published.yaml").write_text(TABLE)
    return read_published(tmp_path / "published.yaml")


def model(folder, seed, value, recipe="a" * 16, codes=512, **changes):
    """One trained model whose FID is `value`, to within 0.002 by its replications."""
    write(
        folder / f"{recipe[0]}{codes}-{seed}",
        number(value=value, interval=0.002),
        number(task="prediction", metric="ade", value=value, interval=0.01, unit="m"),
        number(metric="diversity", value=9.0 + value, interval=0.1, better="real"),
        number(row="real", value=0.002, interval=0.001),
        number(row="real", metric="diversity", value=9.5, interval=0.1, better="real"),
        **{
            "signature": f"{recipe[0]}{codes:07d}{seed:08d}",
            "training": {"seeds": {"tokenizer": seed, "instruct": seed}, "recipe": recipe},
            "method__facts__codebook_size": codes,
            **changes,
        },
    )


def board_of(folder, table):
    runs, broken = gather([folder])
    assert not broken
    return build_board([table], runs, {})


def ours(board):
    return next(group for group in board.tables[0].groups if group.title == "Ours")


def test_three_seeds_are_one_row_with_their_mean_and_students_interval(tmp_path, table):
    values = [0.15, 0.18, 0.21]
    for seed, value in enumerate(values):
        model(tmp_path / "runs", seed, value)
    board = board_of(tmp_path / "runs", table)
    real, row = ours(board).rows
    assert len(board.runs) == 1 and isinstance(board.runs[0], JoinedRuns)
    cell = row.cells["fid"]
    assert cell.quantity.value == pytest.approx(0.18)
    assert cell.quantity.interval == pytest.approx(student_interval(values))
    assert cell.spread.deviation == pytest.approx(0.03)
    assert cell.spread.replications == pytest.approx(0.002)
    assert "3 training seeds" in row.note
    # Real motion was judged the same each time: its interval is over replications.
    assert real.cells["fid"].spread is None and real.cells["fid"].quantity.interval == 0.001
    # In the unit of the column.
    assert row.cells["ade"].spread.deviation == pytest.approx(30.0)
    assert row.cells["ade"].quantity.interval == pytest.approx(1000 * student_interval(values))


def test_a_verdict_says_which_spread_it_used(tmp_path, table):
    model(tmp_path / "one", 1, 0.18)
    found = ours(board_of(tmp_path / "one", table)).rows[1].cells["fid"].verdict
    # 0.18 ± 0.002 is worse than 0.160 ± 0.001; with what another training moves it is not.
    assert (found.outcome, found.spread) == ("worse", "one training run")
    for seed, value in enumerate([0.15, 0.18, 0.21]):
        model(tmp_path / "three", seed, value)
    board = board_of(tmp_path / "three", table)
    found = ours(board).rows[1].cells["fid"].verdict
    assert (found.outcome, found.spread) == ("reproduced", "3 training seeds")
    assert "spread of 3 training seeds" in found.detail
    words = board.tables[0].verdict_words(ours(board).rows[1])
    assert words.endswith("spread: 3 training seeds")


def test_what_nobody_trained_has_replications_only(tmp_path, table):
    model(tmp_path, 1, 0.16, training={"seeds": {}, "recipe": "a" * 16})
    found = ours(board_of(tmp_path, table)).rows[1].cells["fid"].verdict
    assert (found.outcome, found.spread) == ("reproduced", "replications")


def test_older_results_are_one_training_run(tmp_path, table):
    write(tmp_path, number(value=0.16))
    (row,) = ours(board_of(tmp_path, table)).rows
    assert row.cells["fid"].verdict.spread == "one training run"


@pytest.mark.parametrize(
    "other",
    [
        {"recipe": "b" * 16},
        {"evaluator__fingerprint": "d" * 16},
        {"data__fingerprint": "d" * 16},
        {"protocol__replications": 19},
        {"training": {"seeds": {"tokenizer": 1, "instruct": 2}, "recipe": "a" * 16}},
    ],
    ids=["recipe", "evaluator", "data", "protocol", "a tokenizer that both share"],
)
def test_others_are_not_joined(tmp_path, other):
    model(tmp_path, 1, 0.15)
    model(tmp_path, 2, 0.18, **other)
    runs, _ = gather([tmp_path])
    assert len(over_training_seeds(runs)) == 2
    model(tmp_path, 3, 0.18)
    runs, _ = gather([tmp_path])
    joined = over_training_seeds(runs)
    if other.get("training"):  # which of the three are independent is not guessed
        assert len(joined) == 3
    else:
        assert sorted(len(getattr(one, "members", ())) for one in joined) == [0, 2]


def test_the_ranking_is_open_within_the_spread(tmp_path, table):
    for codes, values in {
        256: [0.30, 0.31, 0.32], 512: [0.15, 0.18, 0.21], 1024: [0.16, 0.19, 0.22]
    }.items():  # fmt: skip
        for seed, value in enumerate(values):
            model(tmp_path / "seeds", seed, value, f"{codes:x}"[0] * 16, codes)
    said = ours(board_of(tmp_path / "seeds", table)).ranking
    assert "FID: 512 ~ 1024 > 256" in said and "ADE: 512 ~ 1024 > 256" in said
    # Nearer to real motion, 9.5, is better: 9.31, then 9.19 and 9.18.
    assert "Diversity: 256 > 1024 ~ 512" in said
    model(tmp_path / "single", 1, 0.1, codes=256)
    model(tmp_path / "single", 1, 0.9, codes=512)
    said = ours(board_of(tmp_path / "single", table)).ranking
    assert said == "The ranking is open, one training run a row: FID, ADE, Diversity."
    model(tmp_path / "alone", 1, 0.1)
    assert ours(board_of(tmp_path / "alone", table)).ranking == ""


def test_a_ranking_of_methods_names_them_in_as_few_words_as_tell_them_apart(tmp_path):
    without_axis = TABLE.replace("axis: codebook_size\naxis_title: K\n", "")
    (tmp_path / "methods.yaml").write_text(without_axis)
    table = read_published(tmp_path / "methods.yaml")
    for seed in range(2):
        model(tmp_path / "runs", seed, 0.1 + seed / 100)
        model(tmp_path / "runs", seed, 0.5 + seed / 100, "b" * 16, method__name="mdm")
    said = ours(board_of(tmp_path / "runs", table)).ranking
    assert "FID: motiongpt > mdm" in said
    for seed in range(2):
        model(tmp_path / "runs", seed, 0.9 + seed / 100, "c" * 16, 1024)
    said = ours(board_of(tmp_path / "runs", table)).ranking
    chain = said.partition("FID: ")[2].partition(";")[0]
    first, second, third = chain.split(" > ")
    assert first.startswith("motiongpt (") and third.startswith("motiongpt (") and first != third
    assert second == "mdm"


def test_every_format_keeps_the_two_spreads_apart(tmp_path, table):
    for seed, value in enumerate([0.15, 0.18, 0.21]):
        model(tmp_path, seed, value)
        model(tmp_path, seed, value + 1, "b" * 16, 1024)
    board = board_of(tmp_path, table)
    for text in (markdown(board), plain_table(board.tables[0]), html_page(board)):
        assert "over replications of one model" in text and "0.030" in text
        assert "512 " in text and "1024" in text and "Ranking, best first" in text
    assert "Ranking, best first" in latex(board)
    lines = list(csv.DictReader(io.StringIO(csv_text(board))))
    (line,) = [
        one for one in lines
        if one["metric"] == "fid" and one["setting"] == "512" and one["row"] == "model"
    ]  # fmt: skip
    assert line["training_seeds"] == "3" and float(line["seed_deviation"]) == pytest.approx(0.03)
    assert line["interval"] == line["seed_interval"] != line["replication_interval"]
    assert float(line["replication_interval"]) == pytest.approx(0.002)
    real = next(one for one in lines if one["row"] == "real" and one["metric"] == "fid")
    assert real["training_seeds"] == "" and float(real["replication_interval"]) == 0.001
    # All that the numbers depend on: every model and its seeds.
    assert "a000051200000002 tokenizer=2, instruct=2" in markdown(board)
