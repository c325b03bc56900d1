"""What visitors of the page can do: sentences, files, sessions, bounds; without a browser."""

import io
import zipfile

import numpy as np
import pytest

from motiongpt import Motion
from motiongpt.data.synthetic import SyntheticSource
from motiongpt.errors import UserError
from motiongpt.methods.base import INBETWEEN, MOTION_TO_TEXT, PREDICTION, TEXT_TO_MOTION
from motiongpt.web.desk import Desk, Settings
from motiongpt.web.limits import Limits
from motiongpt.web.requests import PageOutput
from motiongpt.web.sessions import Sessions
from motiongpt.web.workshop import ModelFacts, Workshop

SENTENCE = "a person walks in a circle"


@pytest.fixture(scope="module")
def motion():
    (clip,) = SyntheticSource(clips=1, seed=3).clips()
    return Motion.from_joints(np.asarray(clip.joints, np.float32)[:40], captions=["a walk"])


class Bench:
    """A worker in this process, whose models give one motion, and which notes what it was asked."""

    read = Workshop.read

    def __init__(self, motion):
        self.motion, self.requests = motion, []

    def call(self, name, *arguments):
        return getattr(self, name)(*arguments)

    def outputs(self, request, names, clean):
        self.requests.append(request)
        if request.text == "slow":
            raise UserError("took longer than 60 s and was ended; ask for less")
        if request.task == MOTION_TO_TEXT:
            return [PageOutput(name, text="somebody walks") for name in names]
        if request.task != TEXT_TO_MOTION and request.motion is None:
            return [PageOutput(name, problem="no motion yet") for name in names]
        doubts = ("no training caption has the word sings",) if "sings" in request.text else ()
        return [PageOutput(name, (self.motion,) * request.samples, doubts=doubts) for name in names]

    def write_page(self, path, shown, title):
        path.write_text(f"{title} {[one.name for one in shown]}")

    def save(self, path, motion):
        motion.save(path)


@pytest.fixture
def desk(motion, tmp_path):
    limits = Limits(turns=3, sessions=2, upload_bytes=100_000)
    facts = [
        ModelFacts(name, "motiongpt", frozenset({TEXT_TO_MOTION}), (SENTENCE,))
        for name in ("first", "second")
    ]
    return Desk(Bench(motion), Sessions(tmp_path, limits), limits, facts)


def last(view):
    return view.messages[-1][1]


def test_a_sentence_becomes_motions_with_a_page_and_files_to_take_home(desk, tmp_path):
    view = desk.ask("ann", SENTENCE, Settings(samples=2))
    assert view.clips == ["sample 1", "sample 2"]
    assert view.notes == [f"Understood: {SENTENCE}"]
    assert (tmp_path / f"{view.token}.html").read_text().startswith(SENTENCE)
    for ending in (".npy", ".bvh"):
        path, name = desk.file(view.token, 1, ending)
        assert name == f"a-walk-sample-2{ending}"
        assert Motion.from_file(path).frames == 40


def test_several_models_stand_side_by_side_and_one_that_can_not_is_named(desk):
    view = desk.ask("ann", SENTENCE, Settings(models=("first", "second"), samples=2))
    assert view.clips == [
        f"{model} sample {number}" for model in ("first", "second") for number in (1, 2)
    ]


def test_words_that_no_training_caption_has_are_warned_of(desk):
    assert desk.ask("ann", "a person sings", Settings()).doubts


@pytest.mark.parametrize("task", [PREDICTION, INBETWEEN, MOTION_TO_TEXT])
def test_the_chosen_motion_is_what_the_next_request_is_about(desk, motion, task):
    assert "no motion" in last(desk.act("ann", task, Settings())) or task == MOTION_TO_TEXT
    desk.ask("ann", SENTENCE, Settings(samples=2))
    desk.choose("ann", 1)
    desk.act("ann", task, Settings())
    assert desk.worker.requests[-1].motion is motion


def test_a_description_leaves_its_motion_in_sight(desk):
    desk.ask("ann", SENTENCE, Settings())
    view = desk.ask("ann", "describe it", Settings())
    assert last(view) == "somebody walks"
    assert view.clips == ["described"]


def test_now_faster_is_said_of_the_last_sentence(desk):
    desk.ask("ann", SENTENCE, Settings())
    assert desk.ask("ann", "now faster", Settings()).notes == [f"Understood: {SENTENCE} faster"]


def test_again_asks_the_same_with_another_seed(desk):
    desk.ask("ann", SENTENCE, Settings(seed="7", samples=2))
    desk.again("ann", Settings(seed="7", samples=2))
    seeds = [one.seed for one in desk.worker.requests]
    assert seeds[0] == 7
    assert seeds[1] >= 9  # both samples of the first had a seed of their own
    assert desk.worker.requests[1].text == SENTENCE


def test_what_takes_too_long_is_one_line_and_the_next_request_works(desk):
    assert "took longer" in last(desk.ask("ann", "slow", Settings()))
    assert desk.ask("ann", SENTENCE, Settings()).token


@pytest.mark.parametrize("sentence", ["", "   ", "x" * 301, "half \ud800"])
def test_a_sentence_that_is_none_is_one_line(desk, sentence):
    view = desk.ask("ann", sentence, Settings())
    assert last(view).startswith("That did not work: ")
    assert "\n" not in last(view)


@pytest.mark.parametrize("seed", ["-1", "1.5", "x", str(2**32), "²"])
def test_a_seed_that_is_none_is_one_line(desk, seed):
    assert "expected a whole number" in last(desk.ask("ann", SENTENCE, Settings(seed=seed)))


def test_a_click_on_the_chat_shows_an_earlier_motion_again(desk):
    first = desk.ask("ann", SENTENCE, Settings())
    desk.ask("ann", "a person sits down", Settings())
    assert desk.look_at("ann", 1).token == first.token


def test_files_go_with_their_session_and_old_turns_with_new_ones(desk, tmp_path):
    tokens = [desk.ask("ann", SENTENCE, Settings()).token for _ in range(5)]
    desk.file(tokens[-1], 0, ".npy")
    assert sorted(one.stem for one in tmp_path.glob("*.html")) == sorted(tokens[-3:])
    desk.sessions.end("ann")
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(UserError, match="ended"):
        desk.file(tokens[-1], 0, ".npy")


def test_a_visitor_who_left_while_it_was_made_leaves_nothing_behind(desk, tmp_path):
    desk.sessions.of("ann")
    write = desk.worker.write_page

    def leave(*arguments):
        write(*arguments)
        desk.sessions.end("ann")

    desk.worker.write_page = leave
    desk.ask("ann", SENTENCE, Settings())
    assert list(tmp_path.iterdir()) == []


def test_the_idlest_session_makes_room_and_idle_ones_end(tmp_path):
    now = [0.0]
    sessions = Sessions(tmp_path, Limits(sessions=2, idle=100), clock=lambda: now[0])
    for name in ("ann", "bob", "ann", "eve"):
        now[0] += 1
        sessions.of(name)
    assert len(sessions) == 2
    now[0] += 101
    sessions.of("zoe")
    assert len(sessions) == 1


def test_visitors_see_nothing_of_each_other(desk):
    view = desk.ask("ann", SENTENCE, Settings())
    assert desk.view("bob").messages == []
    assert desk.look_at("bob", 1).token == ""
    assert len(view.token) == 32


def pickled():
    stream = io.BytesIO()
    np.save(stream, np.array([{"a": 1}], dtype=object), allow_pickle=True)
    return stream.getvalue()


def lying_header():
    stream = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        stream, {"descr": "<f4", "fortran_order": False, "shape": (40_000_000, 22, 3)}
    )
    return stream.getvalue()


def zip_bomb():
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("joints.npy", saved(np.zeros((2_000_000, 1), np.float64)))
    return stream.getvalue()


def saved(array):
    stream = io.BytesIO()
    np.save(stream, array)
    return stream.getvalue()


HOSTILE = {
    "header.npy": lying_header(),
    "pickle.npy": pickled(),
    "bomb.npz": zip_bomb(),
    "nan.npy": saved(np.full((40, 22, 3), np.nan, np.float32)),
    "joints.npy": saved(np.zeros((40, 17, 3), np.float32)),
    "one.npy": saved(np.zeros((1, 22, 3), np.float32)),
    "none.npy": b"",
    "words.bvh": b"HIERARCHY\nROOT <script>alert(1)</script>\n",
    "program.py": b"import os",
    "large.bvh": b" " * 100_001,
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_file_is_one_line_and_is_deleted(desk, tmp_path, name):
    folder = tmp_path / "uploads"
    folder.mkdir()
    path = folder / name
    path.write_bytes(HOSTILE[name])
    view = desk.upload("ann", path)
    assert last(view).startswith("That did not work: ")
    assert "\n" not in last(view)
    assert str(folder) not in last(view)
    assert not path.exists()
    assert view.token == ""


def test_an_uploaded_motion_is_shown_and_is_what_the_next_request_is_about(desk, motion, tmp_path):
    path = motion.save(tmp_path / "mine.bvh")
    view = desk.upload("ann", path)
    assert view.clips == ["uploaded"]
    assert not path.exists()
    desk.act("ann", MOTION_TO_TEXT, Settings())
    assert desk.worker.requests[-1].motion.frames == 40


@pytest.mark.parametrize(
    ("clip", "ending"), [(5, ".npy"), (-1, ".npy"), (0, ".py"), (0, "./../../x"), (0, "")]
)
def test_only_the_files_of_a_motion_are_served(desk, clip, ending):
    token = desk.ask("ann", SENTENCE, Settings()).token
    with pytest.raises(UserError, match="no such motion"):
        desk.file(token, clip, ending)


def test_limits_that_forbid_everything_are_refused():
    with pytest.raises(UserError, match="seconds=0"):
        Limits(seconds=0)
