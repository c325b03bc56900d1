import csv
import io
import re

import pytest

from evaluation.leaderboard.board import build_board
from evaluation.leaderboard.csv_file import FIELDS, csv_text
from evaluation.leaderboard.formats import FORMATS, write_board
from evaluation.leaderboard.html_page import html_page
from evaluation.leaderboard.latex import escaped, latex
from evaluation.leaderboard.markdown import markdown
from evaluation.leaderboard.plain import plain_table
from evaluation.leaderboard.published_file import find_tables
from evaluation.leaderboard.radar import AXES, radars
from evaluation.leaderboard.radar_svg import radar_svg
from evaluation.leaderboard.runs import (
    experiment_key,
    fact,
    fits,
    gather,
    run_anchor,
    run_label,
)
from evaluation.reports.results_file import read_results
from launch.composition.studies import EXPERIMENTS
from motiongpt.errors import UserError
from tests.unit.boards import board, mixed_runs, numbers
from tests.unit.results_files import number, write


@pytest.fixture
def mixed(tmp_path):
    return mixed_runs(tmp_path)


def rows(table, title="Ours"):
    return [row for group in table.groups if group.title == title for row in group.rows]


def test_gather_reads_runs_and_copies_once_and_names_broken_files(tmp_path):
    write(tmp_path / "root/runs/evaluate/a", time="2026-11-22T23:00:00Z")
    write(tmp_path / "root/data", signature="c" * 16)  # not a run
    write(tmp_path / "copy/results/deep", number(value=0.5), time="2026-11-23T01:00:00Z")
    write(tmp_path / "copy/other", protocol__name="ours")
    broken = write(tmp_path / "copy/broken", schema=7)
    runs, said = gather([tmp_path / "root", tmp_path / "copy"])
    assert [run.protocol["name"] for run in runs] == ["ours", "guo2022"]
    assert runs[1].results[0].value == 0.5  # the newest of two copies
    assert len(said) == 1 and said[0].startswith(f"{broken}: schema")
    with pytest.raises(UserError, match="no such folder"):
        gather([tmp_path / "nowhere"])
    with pytest.raises(UserError, match="schema"):
        gather([broken])


def test_runs_of_two_methods_never_count_as_copies(tmp_path):
    write(tmp_path / "a")
    write(tmp_path / "b", method__name="t2m_gpt")
    runs, _ = gather([tmp_path])
    assert [run.method.name for run in runs] == ["motiongpt", "t2m_gpt"]
    assert len({experiment_key(run, "backbone") for run in runs}) == 2
    assert len({run_anchor(run) for run in runs}) == 2


def test_facts_are_what_tables_pick_runs_by(tmp_path):
    run = read_results(
        write(tmp_path, method={"name": "mdm", "facts": {"steps": 50, "idle": None}})
    )
    assert [fact(run, key) for key in ("data", "method", "group", "steps", "idle", "backbone")] == [
        "humanml3d",
        "mdm",
        "motiongpt_base",
        50,
        None,
        None,
    ]
    assert fits(run, {"method": ["t2m_gpt", "mdm"], "steps": ["50"]})
    assert not fits(run, {"method": ["mdm"], "backbone": ["t5_base"]})


def test_labels_say_the_method_and_what_differs(tmp_path):
    def run(name, **changes):
        return read_results(write(tmp_path / name, **changes))

    small, large = run("a"), run("b", method__facts__backbone="large", method__facts__tasks="t2m")
    mdm = run("c", method={"name": "mdm", "facts": {"steps": 50}})
    assert run_label(mdm) == "mdm (steps 50, group motiongpt_base)"
    assert run_label(small).startswith("motiongpt (tokenizer vq_vae, codebook size 512, frames per")
    assert run_label(large, [small, large, mdm]) == "motiongpt (backbone large, tasks t2m)"
    assert run_label(large, [small, large], without="backbone") == "motiongpt (tasks t2m)"
    assert run_label(mdm, [small, large, mdm]) == "mdm (steps 50)"
    bare = run("d", method={"name": "lookup", "facts": {}})
    assert run_label(bare, [bare, mdm]) == "lookup"


def test_methods_stand_in_one_group_each_with_its_own_verdict(tmp_path):
    fid = {"task": "text_to_motion", "metric": "fid"}
    write(tmp_path / "a", number(value=0.16, **fid), number(value=0.002, row="real", **fid))
    other = {"name": "t2m_gpt", "facts": {"codebook_size": 512}}
    write(tmp_path / "b", number(value=0.116, **fid), signature="b" * 16, method=other)
    copied = {"name": "lookup", "facts": {}}
    write(tmp_path / "c", number(value=0.01, **fid), signature="c" * 16, method=copied)
    found = board(tmp_path, tables=["t2m"])
    (group,) = [group for group in found.tables[0].groups if group.title == "Ours"]
    assert [row.method for row in group.rows] == ["Real", "lookup", "motiongpt", "t2m_gpt"]
    against = {row.method: row.cells["fid"].verdict for row in group.rows}
    assert against["t2m_gpt"].against == "T2M-GPT: 0.116 ± 0.004"
    assert against["motiongpt"].against == "MotionGPT: 0.160 ± 0.008"
    assert against["t2m_gpt"].outcome == against["motiongpt"].outcome == "reproduced"
    assert against["lookup"] is None
    assert [row.method for row in group.rows if row.cells["fid"].best] == ["lookup"]
    line = next(line for line in plain_table(found.tables[0]).splitlines() if "t2m_gpt" in line)
    assert line.startswith("t2m_gpt") and "codebook size 512" in line
    read = list(csv.DictReader(io.StringIO(csv_text(found))))
    own = [line for line in read if line["method"] == "t2m_gpt"]
    assert [(line["facts"], line["verdict"]) for line in own] == [
        ("codebook_size=512", "reproduced")
    ]
    for write_format in (markdown, latex, html_page):
        assert re.search(r"t2m\\?_gpt", write_format(found))


def test_a_run_without_the_fact_of_a_table_is_not_in_it(tmp_path):
    mpjpe = number(task="reconstruction", metric="mpjpe", value=30.0, unit="mm")
    for index, name in enumerate(("vposer_t", "vposer_t", "motiongpt", "motiongpt")):
        size = {"codebook_size": 256 * (1 + index)} if name == "motiongpt" else {"width": index}
        about = {"name": name, "facts": size}
        write(tmp_path / str(index), mpjpe, signature=f"{index:016x}", method=about)
    codebook, reconstruction = board(tmp_path, tables=["codebook", "reconstruction"]).tables
    assert [row.setting for row in rows(codebook)] == ["768", "1024"]
    assert [row.method for row in rows(reconstruction)] == ["motiongpt"] * 2 + ["vposer_t"] * 2
    verdicts = {row.method: row.cells["mpjpe"].verdict.against for row in rows(reconstruction)}
    assert verdicts == {"motiongpt": "MotionGPT: 55.8", "vposer_t": "VPoser-t: 75.6"}


def test_committed_results_of_the_first_schema_are_motiongpts_and_marked():
    runs, broken = gather(
        [EXPERIMENTS / "codebook", EXPERIMENTS / "bandai_small/results/results.json"]
    )
    assert not broken and {run.schema for run in runs} == {1}
    assert {run.method.name for run in runs} == {"motiongpt"}
    whole = next(run for run in runs if run.stage == "evaluate")
    assert next(iter(whole.method.facts)) == "tokenizer" and "group" not in whole.method.facts
    judges = {number.metric: number.judge for number in whole.results}
    assert (judges["fid"], judges["bleu4"], judges["ade"]) == ("evaluator", "captions", "none")
    found = build_board(find_tables(EXPERIMENTS, ["codebook"]), runs, {})
    assert "3 of our rows: results of schema 1." in plain_table(found.tables[0])
    assert html_page(found).count(", results of schema 1</span>") == 3
    text = markdown(found)
    assert "` (results of schema 1) |" in text and "- format: results of schema 1" in text


def test_protocols_stand_in_groups_that_say_what_they_are(mixed):
    (table,) = board(mixed, tables=["t2m"]).tables
    labels = [group.label for group in table.groups if group.title == "Ours"]
    assert len(labels) == 2
    assert any("data bandai_namco" in label and "protocol ours" in label for label in labels)
    assert any("protocol guo2022" in label and "t2m_published, glove" in label for label in labels)
    titles = [group.title for group in table.groups]
    others = [group.label for group in table.groups if group.title == "Published"]
    assert len(others) == 3 and sum("evaluator remodiffuse" in label for label in others) == 1
    assert titles == [*["Published"] * 3, *["Independent re-evaluations"] * 2, "Ours", "Ours"]


def test_a_row_of_another_protocol_never_joins_a_group(mixed, tmp_path):
    before = len(board(mixed, tables=["t2m"]).tables[0].groups)
    for index, change in enumerate(
        (
            {"protocol__scoring__packing": "released"},
            {"data__fingerprint": "other"},
            {"evaluator__fingerprint": "other"},
            {"protocol__name": "motiongpt_release"},
        )
    ):
        write(mixed / f"runs/evaluate/more{index}", signature=f"{index:08x}" * 2, **change)
        assert len(board(mixed, tables=["t2m"]).tables[0].groups) == before + index + 1


def test_a_sweep_is_shown_in_the_order_of_its_axis_and_only_where_it_is_one(mixed):
    downsampling, codebook = board(mixed, tables=["downsampling", "codebook"]).tables
    assert [row.setting for row in rows(downsampling)] == ["1", "2", "4", "8"]
    assert rows(downsampling)[0].cells["mpjpe"].best
    assert rows(downsampling)[0].cells["mpjpe"].verdict.against == "MotionGPT, l 1: 76.2"
    assert rows(codebook) == []


def test_every_model_of_ours_gets_a_verdict_on_every_published_metric(mixed):
    write(
        mixed / "runs/evaluate/tiny", *numbers(), signature="7" * 16, method__facts__backbone="tiny"
    )
    (table,) = board(mixed, tables=["backbone"]).tables
    tiny = next(row for row in rows(table) if row.setting == "tiny")
    assert len(tiny.cells) == 4
    assert {cell.verdict.against.split(" (")[0] for cell in tiny.cells.values()} == {
        "MotionGPT, Backbone T5-Base"
    }


def test_best_is_never_real_motion_and_needs_a_rival(mixed):
    (table,) = board(mixed, tables=["t2m"]).tables
    best = {}
    for row in table.groups[0].rows:
        for key in (key for key, cell in row.cells.items() if cell.best):
            best.setdefault(key, set()).add((row.label, row.secondary))
    # The same numbers, read in the issue and in a compilation.
    tuned = {("MotionGPT (fine-tuned on the task)", False), ("MotionGPT", True)}
    assert best == {
        "fid": {("T2M-GPT", False)},
        "multimodality": {("MotionGPT (pre-trained)", False)},
        **dict.fromkeys(("r_top1", "r_top2", "r_top3", "mm_dist", "diversity"), tuned),
    }


def test_csv_comes_back_with_every_number(mixed):
    found = board(mixed)
    read = list(csv.DictReader(io.StringIO(csv_text(found))))
    assert tuple(read[0]) == FIELDS
    cells = [
        (table.published.name, group.label, row, column, cell)
        for table in found.tables
        for group in table.groups
        for row in group.rows
        for column in table.columns
        if (cell := row.cells.get(column.key))
    ]
    assert len(read) == len(cells) > 200
    for line, (table, label, row, column, cell) in zip(read, cells, strict=True):
        assert (line["table"], line["protocol"], line["method"]) == (table, label, row.method)
        assert (line["setting"], line["row"]) == (row.setting, row.name or "real" * row.real)
        assert line["metric"] == column.metric and float(line["value"]) == cell.quantity.value
        interval = cell.quantity.interval
        assert line["interval"] == "" if interval is None else float(line["interval"]) == interval
        assert line["verdict"] == (cell.verdict.outcome if cell.verdict else "")
    own = [line for line in read if line["signature"]]
    assert {line["seeds"] for line in own} == {"1234 1235"} and all(line["date"] for line in own)
    assert "0.160" in {line["value"] for line in read}  # as printed
    facts = {line["facts"] for line in own if line["row"] == "model"}
    assert len(facts) == 4 and all("tokenizer=vq_vae, codebook_size=512" in one for one in facts)
    assert not any(line["facts"] for line in read if line["row"] != "model")


def test_latex_is_escaped_and_balanced(mixed):
    text = latex(board(mixed))
    assert escaped(r"50%_of & #1 {x} $ ~ ^ \ < ±") == (
        r"50\%\_of \& \#1 \{x\} \$ \textasciitilde{} \textasciicircum{} \textbackslash{} $<$ $\pm$"
    )
    assert r"50\%\_of $<$b$>$" in text and r"motiongpt\_release" in text
    without_labels = re.sub(r"\\label\{tab:\w+\}", "", text)
    assert not re.search(r"(?<!\\)[%_#](?!.*booktabs)", without_labels)
    tables = len(find_tables(EXPERIMENTS))
    for word in ("table", "tabular"):
        assert text.count(rf"\begin{{{word}}}") == text.count(rf"\end{{{word}}}") == tables
    for block in text.split(r"\begin{tabular}")[1:]:
        columns = len(re.match(r"\{([lc]+)\}", block)[1])
        for line in block.split(r"\bottomrule")[0].splitlines():
            if line.endswith(r"\\") and "multicolumn" not in line:
                assert len(re.split(r"(?<!\\)&", line)) == columns, line
    assert r"\textbf{0.722}" in text and r"\cmidrule(lr){3-5}" in text


def test_markdown_has_verdicts_runs_and_as_many_cells_in_every_row(mixed):
    text = markdown(board(mixed))
    for block in re.findall(r"(?:^\|.*\n)+", text, re.M):
        assert len({len(re.split(r"(?<!\\)\|", line)) for line in block.splitlines()}) == 1
    assert "not comparable: other data, other evaluator, other words, other protocol" in text
    assert (
        "### motiongpt `bbbbbbbbbbbbbbbb`" in text and "- seeds of replications: 1234, 1235" in text
    )
    assert "**Ours: data bandai_namco" in text and "0.160 ± 0.008" in text


def test_plain_tables_say_the_protocol_of_every_group(mixed):
    (table,) = board(mixed, tables=["prediction"]).tables
    text = plain_table(table)
    assert "[Ours: data bandai_namco" in text and "[Published: data humanml3d" in text
    assert "FID ↓" in text and "Diversity →" in text and "not comparable: other data" in text


def test_radar_inverts_where_lower_is_better_and_leaves_gaps(mixed):
    published, *ours = radars(board(mixed))
    lines = [series.label for series in published.series]
    assert {"Real", "MotionGPT"} <= set(lines)
    positions, real = published.positions(), lines.index("Real")
    assert positions[real, "t2m_fid"] == 1.0 and published.ends(AXES[1]) == (0.544, 0.002)
    assert positions[real, "t2m_div"] == 1.0
    assert published.ends(AXES[3]) is None  # nobody published R@3 of motion to text
    svg = radar_svg(published)
    assert "not measured" in svg and "FID ↓ inverted" in svg
    # The gap at R@3 breaks the line of the published model: BLEU-4 follows without a piece.
    motiongpt = svg.split("<title>MotionGPT</title>")[1].split("</g>")[0]
    drawn = re.search(r'd="([^"]*)"', motiongpt)[1].count("M")
    values = published.series[lines.index("MotionGPT")].values
    assert drawn < len(values) == motiongpt.count("<circle")
    other = next(chart for chart in ours if "bandai_namco" in chart.label)
    assert not any(series.label == "MotionGPT" for series in other.series)
    same = next(chart for chart in ours if "humanml3d" in chart.label)
    assert any(series.label == "MotionGPT" for series in same.series)


def test_all_formats_are_written(mixed, tmp_path):
    files = write_board(board(mixed), tmp_path / "out")
    assert [file.suffix for file in files] == [".html", ".md", ".csv", ".tex"]
    assert len(FORMATS) == 4 and all(file.stat().st_size for file in files)
