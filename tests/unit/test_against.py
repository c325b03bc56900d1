"""A verdict on a results.json against another one, or against rows of a published table."""

import pytest

from evaluation.leaderboard.against import against_published, against_results
from evaluation.leaderboard.published_file import read_published
from evaluation.reports.results_file import read_results
from motiongpt.errors import UserError
from tests.unit.results_files import FACTS, number, write
from tests.unit.test_verdicts import TABLE

SHIPPED = {"guo2022": FACTS["protocol"]}
FID = {"metric": "fid", "better": "lower"}
ADE = {"task": "prediction", "metric": "ade", "unit": "m"}


def run(folder, *numbers, **changes):
    return read_results(write(folder, *numbers, **changes))


def outcomes(comparison):
    return {metric: one.outcome for (_, metric), one in comparison.verdicts.items()}


def test_each_number_is_better_worse_or_cannot_be_told_apart(tmp_path):
    other = run(
        tmp_path / "other",
        number(**FID, value=0.5, interval=0.02),
        number(metric="r_top1", better="higher", value=0.5, interval=0.01),
        number(metric="mm_dist", value=3.0, interval=0.1),
        number(metric="only_there"),
    )
    mine = run(
        tmp_path / "mine",
        number(**FID, value=0.4, interval=0.02),
        number(metric="r_top1", better="higher", value=0.4, interval=0.01),
        number(metric="mm_dist", value=3.1, interval=0.1),
        method__name="my_system",
    )
    found = against_results(mine, other, SHIPPED)
    assert outcomes(found) == {"fid": "better", "r_top1": "worse", "mm_dist": "reproduced"}
    assert found.is_worse
    lines = list(found.lines())
    assert len(lines) == 3 and all("\n" not in line for line in lines)
    assert any("text_to_motion mm_dist: cannot be told apart" in line for line in lines)
    assert not against_results(other, other, SHIPPED).is_worse


@pytest.mark.parametrize(
    ("change", "part"),
    [
        ({"data__fingerprint": "0" * 16}, "data"),
        ({"data__clips": 4000}, "clips"),
        ({"data__split": "val"}, "split"),
        ({"protocol__scoring": {"packing": "released"}}, "protocol"),
        ({"evaluator__fingerprint": "0" * 16}, "evaluator"),
    ],
)
def test_what_was_made_otherwise_is_not_compared(tmp_path, change, part):
    numbers = number(**FID), number(**ADE, judge="none")
    other = run(tmp_path / "other", *numbers)
    found = against_results(run(tmp_path / "mine", *numbers, **change), other, SHIPPED)
    (reason,) = found.verdicts["text_to_motion", "fid"].reasons
    assert reason.part == part
    if part == "evaluator":
        assert found.verdicts["prediction", "ade"].outcome == "reproduced", "no network judged it"
    else:
        assert found.verdicts["prediction", "ade"].outcome == "not comparable"


def test_how_another_method_is_prompted_keeps_nothing_from_being_compared(tmp_path):
    other = run(tmp_path / "other", number(**FID), protocol__motiongpt={"prompts": "released"})
    found = against_results(run(tmp_path / "mine", number(**FID)), other, SHIPPED)
    assert outcomes(found) == {"fid": "reproduced"}


def test_without_a_common_number_there_is_no_verdict(tmp_path):
    other = run(tmp_path / "other", number(metric="jitter"))
    with pytest.raises(UserError, match="no number that .* has too"):
        against_results(run(tmp_path / "mine", number(**FID)), other, SHIPPED)


def test_a_system_of_any_name_is_put_beside_the_rows_of_a_published_table(tmp_path):
    (tmp_path / "published.yaml").write_text(TABLE)
    table = read_published(tmp_path / "published.yaml")
    mine = run(
        tmp_path / "mine",
        number(**FID, value=0.05, interval=0.001),
        number(metric="r_top1", better="higher", value=0.6),
        method__name="my_system",
    )
    found = {one.against: outcomes(one) for one in against_published(mine, table, None, SHIPPED)}
    assert found == {
        "Small": {"fid": "better"},
        "Ours": {"fid": "better", "r_top1": "worse"},
    }
    (one,) = against_published(mine, table, "Small", SHIPPED)
    assert one.against == "Small"
    with pytest.raises(UserError, match="no row of Nobody; it has Small, Ours"):
        against_published(mine, table, "Nobody", SHIPPED)
    other = run(tmp_path / "o", number(**FID), evaluator__name="own", method__name="my_system")
    (one, _) = against_published(other, table, None, SHIPPED)
    assert outcomes(one) == {"fid": "not comparable"} and "other evaluator" in next(one.lines())
    with pytest.raises(UserError, match="no number"):
        against_published(run(tmp_path / "j", number(metric="jitter")), table, None, SHIPPED)
