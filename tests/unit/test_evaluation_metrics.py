import numpy as np
import pytest

from evaluation.case import Scorers
from evaluation.metrics.action_words import named_actions, names_actions
from evaluation.metrics.actions import ActionAccuracy, ActionWords
from evaluation.metrics.base import Batch
from evaluation.metrics.displacement import AverageDisplacement, FinalDisplacement, displacement
from evaluation.metrics.reconstruction import JointError, joint_error
from motiongpt.errors import UserError
from motiongpt.motion.skeleton import HUMANML3D
from tests.shared import shared
from tests.unit.cases import make_case

WORDS = {"walk": (r"\bwalk", r"\bstroll"), "wave": (r"\bwav(e|es|ing)\b",), "kick": (r"\bkick",)}
SCORERS = Scorers(HUMANML3D, 20.0, WORDS)


def number(metric, cases, scorers=SCORERS):
    """The one number of a metric over some cases, None where it has none."""
    metric.update(Batch(cases=cases, scorers=scorers))
    found = metric.compute()
    assert set(found) <= set(metric.numbers) and len(found) <= 1
    return next((value.item() for value in found.values()), None)


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
    found = number(JointError(kind), clips(vectors))
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
        assert number(metric, cases) == pytest.approx(expected, rel=1e-4)


def moving(frames):
    return np.ones((frames, 22, 3)) * 0.1 * np.arange(frames)[:, None, None]


def test_given_frames_do_not_count_and_an_early_end_holds_the_last_pose():
    truth = moving(10)
    wrong_where_given = truth.copy()
    wrong_where_given[:4] += 9
    case = make_case(truth, wrong_where_given, given=np.arange(10) < 4)
    assert number(AverageDisplacement(), [case]) == 0
    stopped = make_case(truth, truth[:8], given=np.arange(10) < 4)
    assert number(FinalDisplacement(), [stopped]) == pytest.approx(0.2 * 3**0.5, rel=1e-5)
    assert number(AverageDisplacement(), [stopped]) == pytest.approx(0.3 / 6 * 3**0.5, rel=1e-5)


def test_without_cases_a_metric_has_no_value():
    for metric in (JointError("mpjpe"), AverageDisplacement(), ActionWords(), ActionAccuracy()):
        assert number(metric, []) is None
    given = make_case(moving(4), given=np.ones(4, bool))
    assert number(AverageDisplacement(), [given]) is None
    assert number(ActionAccuracy(), [make_case(moving(4), labels=("walk",))]) is None


def test_identical_motions_have_no_error():
    joints = np.random.default_rng(0).normal(size=(20, 22, 3))
    case = make_case(joints, given=np.arange(20) < 4)
    for kind in ("mpjpe", "acceleration_error"):
        assert number(JointError(kind), [case]) == 0
    assert number(JointError("pa_mpjpe"), [case]) < 1e-2
    assert number(AverageDisplacement(), [case]) == number(FinalDisplacement(), [case]) == 0


def test_frames_count_and_not_clips():
    shift = np.zeros((1, 22, 3))
    shift[:, 1:] = (0.022 / 21, 0, 0)  # the root stays
    long, short = moving(30), moving(10)
    cases = [make_case(long, long + shift), make_case(short)]
    assert number(JointError("mpjpe"), cases) == pytest.approx(0.75, rel=1e-3)


@pytest.mark.parametrize(
    "metric",
    [JointError("mpjpe"), JointError("pa_mpjpe"), AverageDisplacement(), FinalDisplacement()],
)
def test_a_motion_that_is_not_finite_is_named(metric):
    broken = moving(10)
    broken[5, 3] = np.nan
    broken[9, 3] = np.inf
    cases = [make_case(moving(10)), make_case(moving(10), broken, name="clip 7")]
    with pytest.raises(UserError, match="clip clip 7 gives NaN or infinity") as raised:
        metric.update(Batch(cases=cases, scorers=SCORERS))
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: joint_error("mpjpe", "some"), "choose one of valid, padded"),
        (lambda: joint_error("mpvpe"), "choose one of mpjpe, pa_mpjpe, acceleration_error"),
        (lambda: displacement("ade", "some"), "choose one of own_end, padded_end"),
        (lambda: displacement("apd"), "choose one of ade, fde"),
        (lambda: ActionWords().update(Batch()), "ActionWords: needs the scorers"),
    ],
)
def test_unknown_choices_name_the_valid_ones(call, words):
    with pytest.raises(UserError, match=words) as raised:
        call()
    assert "\n" not in str(raised.value)


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
    assert number(ActionWords(), cases) == 50.0


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
    found = number(ActionAccuracy(), cases, Scorers(HUMANML3D, 20.0, WORDS, Judge()))
    assert found == pytest.approx(100 / 3)
