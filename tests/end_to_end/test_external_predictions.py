"""Another system's motions through the command: understood, scored, written, judged."""

import json
import shutil

import numpy as np
import pytest
import torch

from evaluation.reports.results_file import read_results
from evaluation.requests.predictions import About, Outputs, PredictionSet
from launch.cli import main
from launch.composition.compose import compose_config
from launch.composition.datasets import ensure_store
from motiongpt.data.store import MotionStore
from motiongpt.motion.recover import features_to_joints
from motiongpt.motion.skeleton import HUMANML3D
from tests.unit.test_predictions import ABOUT

SMALL = (
    "debug=tiny",
    "stage.evaluate.pictures=0",
    "data.source.clips=60",
    "evaluator=own",
    "evaluator.sizes={movement_hidden: 8, movement: 8, motion_hidden: 8, text_hidden: 8, word: 8, embedding: 8}",
)


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    return tmp_path_factory.mktemp("root")


@pytest.fixture(scope="module")
def store(root):
    folder, _ = ensure_store(compose_config([*SMALL, f"paths.root={root}"]))
    return MotionStore.open(folder)


@pytest.fixture(scope="module")
def system(root, store):
    """Joints of all test clips, two draws: the real ones, and these with noise."""
    folder, draw = root / "my_system", np.random.default_rng(0)
    for number in range(2):
        (folder / str(number)).mkdir(parents=True)
        for index in store.indices("test"):
            rows = torch.from_numpy(store.features(int(index)))
            joints = features_to_joints(rows, HUMANML3D).numpy()
            noise = 0.01 * number * draw.normal(size=joints.shape)
            path = folder / str(number) / f"{store.names[int(index)]}.npy"
            np.save(path, (joints + noise).astype(np.float32))
    return folder


def score(folder, root, *words):
    return main(["score", "predictions", str(folder), *SMALL, f"paths.root={root}", *words])


def test_it_says_what_it_understood_and_leaves_results_and_a_row(system, root, capsys):
    assert score(system, root) == 0
    said = capsys.readouterr().out
    assert "form: joints\n" in said and "draws: 2\n" in said and "6 of 6 asked about" in said
    output = system / "scores"
    run = read_results(output / "results.json")
    assert run.method.name == "my_system" and dict(run.method.facts) == {"form": "joints"}
    assert run.number("text_to_motion", "model", "fid").replications == 2
    row = json.loads((output / "row.json").read_text())
    assert row["numbers"]["text_to_motion/fid"]["value"] == pytest.approx(
        run.number("text_to_motion", "model", "fid").value
    )
    assert json.loads((output / "understood.json").read_text())["form"] == "joints"
    left = {path.name for path in output.iterdir()}
    assert not [one for one in left if one.startswith(".") or one == "replications"], left


@pytest.mark.slow
def test_the_leaderboard_shows_the_row(system, root, tmp_path, capsys):
    assert score(system, root) == 0
    capsys.readouterr()
    runs = str(system / "scores" / "results.json")
    assert main(["leaderboard", "--runs", runs, "--format", "csv"]) == 0
    assert "my_system" in capsys.readouterr().out


@pytest.mark.slow
def test_a_program_reads_one_line_of_json(system, root, capsys):
    assert score(system, root, "--json", "--method", "other", "--output", str(root / "o")) == 0
    heard = capsys.readouterr()
    assert heard.out.count("\n") == 1 and "form: joints" in heard.err
    found = json.loads(heard.out)
    assert found["row"]["method"] == "other" and found["understood"]["clips"]
    assert found["verdicts"] == [] and found["results"] == str(root / "o" / "results.json")


@pytest.mark.slow
def test_the_same_files_have_one_signature_and_the_same_numbers(system, root):
    for name in ("one", "two"):
        assert score(system, root, "--output", str(root / name)) == 0
    one, two = (read_results(root / name / "results.json") for name in ("one", "two"))
    assert one.signature == two.signature and one.results == two.results


@pytest.mark.slow
def test_a_verdict_and_its_exit_status(system, root, store, tmp_path, capsys):
    assert score(system, root) == 0
    worse = tmp_path / "worse"
    worse.mkdir()
    for index in store.indices("test"):
        rows = store.features(int(index))
        rows[:, 4:67] *= 1.3
        np.save(worse / f"{store.names[int(index)]}.npy", rows)
    baseline = str(system / "scores" / "results.json")
    capsys.readouterr()
    words = ("--against", baseline, "--fail-if-worse", "--json", "--normalised", "no")
    assert score(worse, root, *words) == 3
    verdicts = json.loads(capsys.readouterr().out)["verdicts"]
    assert "worse" in {one["outcome"] for one in verdicts}
    assert score(worse, root, *words[:-2], "--against", str(worse / "scores/results.json")) == 0
    assert "cannot be told apart" in capsys.readouterr().err
    assert score(system, root, "--against", "t2m", "--row", "MDM") == 0
    assert "not comparable: other data" in capsys.readouterr().out
    assert score(system, root, "--fail-if-worse") == 2
    assert "needs --against" in capsys.readouterr().err


def test_bad_input_is_one_line_before_anything_is_trained(system, root, tmp_path, capsys):
    first = sorted((system / "1").iterdir())[0]
    kept, joints = first.read_bytes(), np.load(first)
    joints[3, 5, 1] = np.nan
    np.save(first, joints)
    output = tmp_path / "o"
    other = f"paths.root={tmp_path / 'root'}"  # where no judge is yet
    assert score(system, root, other, "--output", str(output)) == 2
    first.write_bytes(kept)
    heard = capsys.readouterr()
    last = heard.err.rstrip("\n").split("\n")[-1]  # the bar of the data's making is above
    assert last.startswith("motiongpt score: ") and "NaN or infinity in 1 of" in last
    assert not output.exists()
    assert "evaluator" not in heard.out and not (tmp_path / "root" / "runs").exists()


def test_what_to_compare_with_is_looked_for_first(system, root, tmp_path, capsys):
    other = f"paths.root={tmp_path / 'root'}"
    for words, said in (
        (("--against", str(tmp_path / "none.json")), "name a results.json"),
        (("--against", "nothing"), "no such table"),
        (("--against", "t2m", "--row", "Nobody"), "no row of Nobody; it has MDM"),
        (("--row", "MDM"), "--row needs --against"),
    ):
        assert score(system, root, other, *words) == 2
        heard = capsys.readouterr().err
        assert said in heard and heard.count("\n") == 1
    assert not (tmp_path / "root").exists()


@pytest.mark.slow
def test_a_folder_called_predictions_beside_the_output_is_left_alone(system, root, tmp_path):
    theirs = tmp_path / "predictions"
    shutil.copytree(system / "0", theirs)
    (tmp_path / "replications").mkdir()
    before = sorted(theirs.iterdir())
    assert score(theirs, root, "--output", str(tmp_path)) == 0
    assert sorted(theirs.iterdir()) == before and (tmp_path / "replications").exists()
    assert (tmp_path / "results.json").exists()


@pytest.mark.slow
def test_requests_are_written_and_what_answers_them_is_scored(root, store, tmp_path, capsys):
    system = tmp_path / "theirs"
    asked = ("protocol.requests.caption=random", "protocol.requests.length=given")
    assert score(system, root, "--requests", *asked) == 0
    lines = [json.loads(line) for line in (system / "requests.jsonl").read_text().splitlines()]
    assert len(lines) == 12 and {line["draw"] for line in lines} == {0, 1}
    captions = {}
    names = list(store.names)
    for line in lines:
        index = names.index(line["clip"])
        assert line["text"] == store.captions(index)[line["caption"]].text
        assert line["frames"] == store.lengths[index] and line["fps"] == 20.0
        captions.setdefault(line["clip"], []).append(line["text"])
        np.save(system / f"{line['clip']}_{line['draw']}.npy", store.features(index))
    (system / "captions.json").write_text(json.dumps(captions))
    assert score(system, root, *asked) == 0
    assert "captions: as captions.json says" in capsys.readouterr().out


@pytest.mark.slow
def test_our_own_predictions_leave_results_that_the_leaderboard_reads(root, store, tmp_path):
    clips = [int(index) for index in store.indices("test")[:6]]
    about = About(
        task="text_to_motion",
        kind="motion",
        fingerprint=store.fingerprint,
        clips=[store.names[index] for index in clips],
        frames=[int(store.lengths[index]) for index in clips],
        given=[(0, 0)] * 6,
        seeds=[1],
    )
    saved = PredictionSet.create(tmp_path / "predictions" / "text_to_motion", about)
    motions = [store.features(index) for index in clips]
    saved.write(0, Outputs([0] * 6, [""] * 6, [""] * 6, motions))
    assert score(tmp_path, root, "--method", "saved") == 0
    run = read_results(tmp_path / "scores" / "results.json")
    assert run.method.name == "saved" and run.number("text_to_motion", "model", "fid") is not None
    assert (tmp_path / "scores" / "replications").exists(), "an interrupted scoring goes on"


def test_options_about_files_mean_nothing_to_our_own_predictions(root, tmp_path, capsys):
    PredictionSet.create(tmp_path / "predictions" / "text_to_motion", ABOUT)
    assert score(tmp_path, root, "--fps", "20") == 2
    assert "--fps: " in (said := capsys.readouterr().err) and "say everything themselves" in said
