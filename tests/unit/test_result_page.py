"""The page of an evaluation: the clips it shows, its numbers, and the signature of its run."""

import re

import numpy as np
import pytest
import torch

from evaluation.leaderboard.board import build_board
from evaluation.leaderboard.html_page import html_page
from evaluation.leaderboard.published_file import find_tables
from evaluation.replications.clip_distances import ClipDistances, clip_distances
from evaluation.replications.comparison import HOLD
from evaluation.replications.results import MODEL, REAL
from evaluation.reports.chosen_clips import worst
from evaluation.reports.result_page import showing
from evaluation.reports.results_file import read_results
from launch.composition.studies import EXPERIMENTS
from tests.unit.cases import make_case
from tests.unit.result_pages import EVIL, SIGNATURE, cases, outputs_of_two_tasks, written
from tests.unit.results_files import write
from tests.unit.test_viewer import unpacked


@pytest.fixture(scope="module", autouse=True)
def sticks():
    """Sticks instead of bodies, which take a tenth of a second each to fit; see test_viewer."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(showing, "FreeBody", lambda: None)
        yield


@pytest.fixture(scope="module")
def outputs():
    return outputs_of_two_tasks()


@pytest.fixture(scope="module")
def page(outputs, tmp_path_factory):
    # A run is written as an attempt, whose folder has a number, not its signature.
    return written(tmp_path_factory.mktemp("attempts") / "0001", outputs)


def test_it_shows_the_signature_of_the_run_not_the_folder_that_it_was_written_in(page):
    said, _, _ = page[0].partition("<script")
    assert f'<dt>signature</dt><dd dir="auto">{SIGNATURE}</dd>' in said and "0001" not in said


def test_it_shows_clips_of_many_actions_and_the_ten_worst(page):
    _, data, _ = page
    of_task = [clip for clip in data["shown"] if clip["task"] == "prediction"]
    assert [clip["actions"][0] for clip in of_task[:3]] == ["action0", "action1", "action2"]
    worst_ten = {f"clip{number}" for number in range(2, 12)}
    assert worst_ten <= {clip["clip"] for clip in of_task} and len(of_task) == 12
    farthest = max(of_task, key=lambda clip: clip["distance"])
    assert farthest["clip"] == "clip11"
    assert farthest["distance"] == pytest.approx(0.11 * np.sqrt(3), rel=1e-4)
    assert data["tasks"][0]["distance"] == {"label": "joint distance", "unit": "m"}
    assert data["tasks"][1]["distance"] is None


def test_its_motions_are_the_real_clip_the_methods_and_a_simple_one(page, outputs):
    _, data, _ = page
    clip = next(one for one in data["shown"] if one["clip"] == "clip7")
    motions = [data["clips"][number] for number in clip["motions"]]
    assert [one["name"] for one in motions] == [REAL, "mdm", HOLD]
    assert [one["given"] for one in motions] == [[], [[0, 2]], []]
    joints = unpacked(motions[1]["joints"]) + unpacked(motions[1]["root"])[:, None]
    np.testing.assert_allclose(joints, outputs[0].rows[MODEL][7].joints, atol=1e-4)
    sentence = next(one for one in data["shown"] if one["task"] == "motion_to_text")
    assert (
        sentence["said"] == [["the method wrote", "a sentence"]] and len(sentence["motions"]) == 1
    )


def test_its_tables_have_all_numbers(page):
    text, _, _ = page
    columns = re.findall(r"<th scope=\"col\"><button type=\"button\">(.*?)</button>", text)
    assert columns == ["metric", "mdm", REAL, HOLD, "clips"]
    assert '<th scope="row">ade (m) ↓</th><td data-value="0.3">0.300 <small>± 0.' in text
    assert "left out (1)" in text and "needs an evaluator" in text and "scoring.pool=32" in text


def test_it_stands_alone_and_runs_no_caption(page):
    text, data, _ = page
    assert EVIL not in text and data["shown"][0]["captions"][0] == f"says {EVIL}"
    assert not re.search(r"""(src|href)=["']""", text)
    assert text.count("<script") == 3 and "default-src 'none'" in text


def test_clips_that_it_has_no_room_for_are_counted(outputs, tmp_path, monkeypatch):
    monkeypatch.setattr(showing, "LARGEST", 12_000)
    _, data, said = written(tmp_path / "run", outputs)
    assert 0 < len(data["shown"]) < 14
    assert f"{14 - len(data['shown'])} clips are left out of page.html" in said[-1]


class FakeEmbedder:
    def motions(self, clips, keep=False):
        return torch.tensor([[float(len(clip))] for clip in clips])

    def sentences(self, captions, keep=False):
        return torch.tensor([[float(len(str(caption)))] for caption in captions])


class Broken(FakeEmbedder):
    def sentences(self, captions, keep=False):
        raise ValueError("no words")


def test_a_clip_has_a_distance_where_one_can_be_had():
    those = cases(3)
    said = ["abc", "abcdefgh", ""]
    found = clip_distances("motion", those, said, FakeEmbedder())
    assert found.values.tolist() == [5, 0, 8] and found.label == "distance of motion and caption"
    for kind, embedder in (("motion", None), ("text", Broken()), ("samples", FakeEmbedder())):
        assert clip_distances(kind, those, said, embedder) is None
    whole = make_case(np.zeros((4, 22, 3)), given=np.ones(4, bool))
    distances = clip_distances("inbetween", [*those, whole], [], None)
    assert np.isnan(distances.values[3]) and worst(distances) == [2, 1, 0]
    assert worst(ClipDistances("", "", np.array([np.nan]))) == [] and worst(None) == []


def test_a_row_of_the_leaderboard_leads_to_the_page_of_its_run(tmp_path):
    for name, letter in (("with", "a"), ("without", "b")):
        write(tmp_path / "runs" / "evaluate" / name, signature=16 * letter)
    (tmp_path / "runs" / "evaluate" / "with" / "page.html").touch()
    runs = [read_results(path) for path in sorted(tmp_path.rglob("results.json"))]
    board = build_board(find_tables(EXPERIMENTS, ["t2m"]), runs, {})
    text = html_page(board, tmp_path / "leaderboard")
    assert set(re.findall(r'href="([^#].*?)"', text)) == {"../runs/evaluate/with/page.html"}
    assert not re.findall(r'href="([^#].*?)"', html_page(board))
