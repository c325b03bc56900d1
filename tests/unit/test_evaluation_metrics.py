import numpy as np
import pytest

from evaluation.case import Scorers
from evaluation.metrics.action_words import named_actions, names_actions
from evaluation.metrics.actions import ActionAccuracy, ActionWords
from evaluation.metrics.displacement import AverageDisplacement, FinalDisplacement
from evaluation.metrics.reconstruction import JointError
from motiongpt.motion.skeleton import HUMANML3D
from tests.shared import shared
from tests.unit.cases import make_case

WORDS = {"walk": (r"\bwalk", r"\bstroll"), "wave": (r"\bwav(e|es|ing)\b",), "kick": (r"\bkick",)}
SCORERS = Scorers(HUMANML3D, WORDS)


@pytest.fixture(scope="module")
def vectors():
    path = shared("parity", "metrics", "metric_classes_padded_batch.npz")
    return np.load(path, allow_pickle=False)


def clips(vectors, given_of=lambda frames: np.zeros(frames, bool)):
    return [
        make_case(reference[:frames], joints[:frames], given_of(frames))
        for reference, joints, frames in zip(
            vectors["joints_ref"], vectors["joints_rst"], vectors["lengths"], strict=True
        )
    ]


@pytest.mark.parametrize(
    ("kind", "name"), [("mpjpe", "MPJPE"), ("pa_mpjpe", "PAMPJPE"), ("acceleration_error", "ACCEL")]
)
def test_joint_errors_are_those_of_the_original_without_its_padding(vectors, kind, name):
    found = JointError(kind)(clips(vectors), SCORERS)
    assert found == pytest.approx(float(vectors[f"MRMetrics_unpadded/{name}"]), rel=1e-4)


def first_fifth(frames):
    return np.arange(frames) < int(0.2 * frames)


def outer_quarters(frames):
    places = np.arange(frames)
    return (places < int(0.25 * frames)) | (places >= frames - int(0.25 * frames))


@pytest.mark.parametrize(("task", "given"), [("pred", first_fifth), ("inbetween", outer_quarters)])
def test_displacements_are_those_of_the_original_without_its_padding(vectors, task, given):
    cases = clips(vectors, given)
    for metric, name in ((AverageDisplacement(), "ADE"), (FinalDisplacement(), "FDE")):
        expected = float(vectors[f"PredMetrics_{task}_unpadded_mean_per_joint/{name}"])
        assert metric(cases, SCORERS) == pytest.approx(expected, rel=1e-4)


def moving(frames):
    return np.ones((frames, 22, 3)) * 0.1 * np.arange(frames)[:, None, None]


def test_given_frames_do_not_count_and_an_early_end_holds_the_last_pose():
    truth = moving(10)
    wrong_where_given = truth.copy()
    wrong_where_given[:4] += 9
    case = make_case(truth, wrong_where_given, given=np.arange(10) < 4)
    assert AverageDisplacement()([case], SCORERS) == 0
    stopped = make_case(truth, truth[:8], given=np.arange(10) < 4)
    assert FinalDisplacement()([stopped], SCORERS) == pytest.approx(0.2 * 3**0.5, rel=1e-5)
    assert AverageDisplacement()([stopped], SCORERS) == pytest.approx(0.3 / 6 * 3**0.5, rel=1e-5)


def test_without_cases_a_metric_has_no_value():
    for metric in (JointError("mpjpe"), AverageDisplacement(), ActionWords(), ActionAccuracy()):
        assert np.isnan(metric([], SCORERS))


def test_words_name_actions():
    assert named_actions("Someone STROLLS, then is waving", WORDS) == {"walk", "wave"}
    assert names_actions("a man walks", ("walk",), WORDS)
    assert not names_actions("a man walks and kicks", ("walk",), WORDS)
    assert not names_actions("a man stands", ("walk",), WORDS)
    cases = [
        make_case(moving(2), labels=("walk",), text="he strolls"),
        make_case(moving(2), labels=("kick", "walk"), text="he kicks"),
        make_case(moving(2), labels=(), text="not judged"),
    ]
    assert ActionWords()(cases, SCORERS) == 50.0


def test_a_motion_without_frames_is_not_recognised():
    class Judge:
        def recognises(self, features, labels):
            return np.array([len(motion) == 5 for motion in features])

    nothing = np.zeros((0, 263), np.float32)
    cases = [
        make_case(moving(5), labels=("walk",)),
        make_case(moving(6), labels=("walk",)),
        make_case(moving(5), labels=("walk",), features=nothing),
        make_case(moving(5), labels=()),
    ]
    found = ActionAccuracy()(cases, Scorers(HUMANML3D, WORDS, Judge()))
    assert found == pytest.approx(100 / 3)
