import pytest

from evaluation.leaderboard.published_file import read_published
from evaluation.reports.results_file import read_results
from launch.cli import main
from launch.composition.compose import compose_config
from launch.composition.studies import EXPERIMENTS, find_studies, read_study
from launch.sweeps.published_table import board_of, write_published
from motiongpt.errors import UserError
from tests.unit.results_files import number, write

SMALL = ["experiment=quickstart", "debug=tiny"]


def methods_of(points):
    """Names in `method=` of a sweep's experiments."""
    return [
        word.removeprefix("method=")
        for point in points
        for word in point
        if word.startswith("method=")
    ]


@pytest.mark.parametrize("table", find_studies())
def test_every_sweep_composes_in_the_papers_setting_and_has_its_table(table):
    sweep = read_study(table)
    published = read_published(EXPERIMENTS / table / "published.yaml")
    points = [compose_config(point) for point in sweep.points([])]
    assert {point.goal for point in points} <= set(points[0].stage)
    assert {point.protocol.name for point in points} <= set(published.protocol.names) | {"guo2022"}
    assert all(point.data.name == published.protocol.data for point in points)
    if published.axis:  # each published row has its point
        facts = [dict(point.stage[point.goal].facts) for point in points]
        found = {str(fact[published.axis]) for fact in facts}
        for row in published.rows:
            if row.match is not None:
                assert found & set(row.match[published.axis]), row.method


def test_overrides_of_the_user_win():
    sweep = read_study("downsampling")
    assert sweep.overrides([])[1] == "experiment=motiongpt_base"
    points = sweep.points(["downsampling=2,4", "data=kit", "seed=1,2"])
    assert len(points) == 4
    config = compose_config(points[-1])
    assert (config.downsampling.frames_per_token, config.data.name, config.seed) == (4, "kit", 2)
    assert config.tokenizer.width == 512  # the paper's setting is kept
    config = compose_config(sweep.points(["experiment=bandai_small"])[3])
    assert config.data.name == "bandai_namco" and config.protocol.name == "ours"
    assert config.downsampling.frames_per_token == 8 and config.goal == "evaluate_codec"


SIDE_BY_SIDE = {
    "t2m": ["motiongpt", "t2m_gpt", "tm2t", "mdm", "mld", "momask", "motiongpt3", "lookup"],
    "motion_to_text": ["motiongpt", "tm2t", "motiongpt3", "lookup"],
    "prediction": ["motiongpt", "mdm", "momask", "lookup"],
    "inbetween": ["motiongpt", "mdm", "momask", "lookup"],
}


@pytest.mark.parametrize("table", SIDE_BY_SIDE)
def test_every_method_of_a_table_has_its_point_at_its_papers_size(table):
    points = read_study(table).points([])
    assert methods_of(points) == SIDE_BY_SIDE[table]
    for name, point in zip(SIDE_BY_SIDE[table], points, strict=True):
        assert "data=humanml3d" in point
        assert (f"experiment={name}_base" in point) == (name != "lookup")
        config = compose_config(point)
        assert (config.method.name, config.data.name) == (name, "humanml3d")
        assert config.protocol.name == "guo2022" and config.choices.evaluator == "t2m_published"
        small = [choice for choice in config.choices.values() if choice.endswith("_small")]
        assert not small, "its size is not its paper's"


def test_the_codecs_of_the_reconstruction_table_have_their_points():
    points = read_study("reconstruction").points([])
    assert methods_of(points) == ["motiongpt", "vposer_t", "actor", "mld_vae"]


def test_methods_of_one_table_share_their_codecs():
    points = dict(zip(SIDE_BY_SIDE["t2m"], read_study("t2m").points([]), strict=True))
    for stage, one, other in (
        ("tokenizer", "motiongpt", "t2m_gpt"),
        ("codec", "mld", "motiongpt3"),
    ):
        assert (
            compose_config(points[one]).stage[stage] == compose_config(points[other]).stage[stage]
        )


def test_what_is_a_methods_own_gives_way_to_the_user(tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "sweep.yaml").write_text(
        "goal: evaluate\nbase: [trainer=gpu, seed=1]\naxes: ['method=one,two']\n"
        "methods: {two: [trainer=cpu, backbone=t5_base]}\n"
    )
    study = read_study("mine", tmp_path)
    assert study.points([]) == [
        ["goal=evaluate", "trainer=gpu", "seed=1", "method=one"],
        ["goal=evaluate", "seed=1", "method=two", "trainer=cpu", "backbone=t5_base"],
    ]
    assert study.points(["method=two", "backbone=t5_tiny", "seed=2"]) == [
        ["goal=evaluate", "method=two", "backbone=t5_tiny", "seed=2", "trainer=cpu"]
    ]
    assert study.points(["experiment=quickstart"]) == [
        ["goal=evaluate", "method=one", "experiment=quickstart"],
        ["goal=evaluate", "method=two", "experiment=quickstart"],
    ]


def test_a_dry_run_plans_one_tokenizer_for_each_rate(tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("MOTIONGPT_ROOT", str(tmp_path))
    assert main(["reproduce", "table=downsampling", *SMALL, "--dry-run"]) == 0
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    stages = [line[0] for line in lines if len(line) > 2 and line[2] == "absent"]
    assert stages.count("tokenizer") == stages.count("evaluate_codec") == 4
    assert "instruct" not in stages and stages.count("evaluator") == 1
    assert not list(tmp_path.rglob("status.json"))


def test_a_sweep_shares_its_tokenizer(tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("MOTIONGPT_ROOT", str(tmp_path))
    words = ["reproduce", "table=backbone", *SMALL, "backbone=t5_tiny,gpt2_tiny", "--dry-run"]
    assert main(words) == 0
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    stages = [line[0] for line in lines if len(line) > 2 and line[2] == "absent"]
    assert stages.count("tokenizer") == 1 and stages.count("evaluate") == 2


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["table=nothing"], "table=nothing: no such table; valid: backbone, codebook"),
        ([], "one table=NAME is needed; valid: backbone"),
        (["table=kit", "table=t2m"], "one table=NAME is needed"),
        (["table=kit", "experiment=quickstart", "sede=1"], "did you mean seed"),
    ],
)
def test_a_wrong_word_is_one_line(words, said, capsys):
    assert main(["reproduce", *words]) == 2
    error = capsys.readouterr().err
    assert said in error and error.count("\n") == 1


def test_broken_sweeps_are_one_line(tmp_path):
    (tmp_path / "mine").mkdir()
    file = tmp_path / "mine" / "sweep.yaml"
    for text, said in (
        ("goal: evaluate\n", "its keys must be goal, base, axes"),
        ("goal: evaluate\nbase: data=kit\naxes: []\n", "base: a list of overrides"),
        ("goal: [", "expected"),
        ("goal: evaluate\nbase: []\naxes: []\nmethods: []\n", "methods: lists of overrides by"),
        ("goal: evaluate\nbase: []\naxes: []\nmethods: {mdm: a=1}\n", "methods.mdm: a list"),
        ("goal: evaluate\nbase: []\naxes: []\nmethod: {}\n", "its keys must be goal, base, axes"),
    ):
        file.write_text(text)
        with pytest.raises(UserError, match=said) as caught:
            read_study("mine", tmp_path)
        assert "\n" not in str(caught.value)
    file.write_text("goal: evaluate\nbase: []\naxes: [seed=1,2]\n")
    assert find_studies(tmp_path) == {"mine": file}


def test_results_are_shown_on_any_data_and_written_by_signature(tmp_path):
    written = write(tmp_path / "run", number(), data__name="bandai_namco")
    run = read_results(written)
    board = board_of("kit", [run])
    titles = [group.title for group in board.tables[0].groups]
    assert titles[-1] == "Ours" and set(titles[:-1]) == {"Published"}
    files = write_published(board, [run], tmp_path / "out")
    assert [str(file.relative_to(tmp_path / "out")) for file in files] == [
        "table.md",
        "table.csv",
        f"{run.signature}/results.json",
    ]
    assert read_results(files[-1]).results == run.results
    assert run.signature in files[0].read_text()


def test_the_leaderboard_command(tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("MOTIONGPT_ROOT", str(tmp_path / "root"))
    write(tmp_path / "more/runs/evaluate/a", number(value=0.16))
    broken = write(tmp_path / "more/runs/evaluate/b", seeds=[])
    words = ["leaderboard", "--runs", str(tmp_path / "more")]
    assert main([*words, "--table", "t2m"]) == 0
    out, error = capsys.readouterr()
    assert "reproduced" in out and f"left out: {broken}: seeds" in error
    assert len(list((tmp_path / "root/leaderboard").iterdir())) == 4
    assert main([*words, "--format", "csv", "--protocol", "guo2022"]) == 0
    assert capsys.readouterr().out.startswith("table,group,protocol")
    file = tmp_path / "t2m.tex"
    assert main([*words, "--table", "t2m", "--format", "latex", "--output", str(file)]) == 0
    assert file.read_text().count(r"\begin{table}") == 1
    capsys.readouterr()
    for wrong, said in (
        (["--protocol", "mine"], "--protocol mine: no such protocol; valid: guo2022"),
        (["--table", "mine"], "mine: no such table; valid: backbone"),
        (["--runs", str(tmp_path / "nowhere")], "no such folder"),
        (["--runs", str(broken)], "seeds"),
        (["--output", str(file)], "a file takes one format"),
    ):
        assert main(["leaderboard", *wrong]) == 2
        error = capsys.readouterr().err.splitlines()[-1]
        assert said in error
