"""Every result in experiments/ is what today's code would sign, or its README says that it is not."""

from launch.composition.studies import EXPERIMENTS
from launch.plans.committed import README, check_committed, marks_in


def test_stale_results_are_marked_and_no_others():
    checked = check_committed([EXPERIMENTS])
    assert len(checked) >= 8
    wrong = [f"{one.path.relative_to(EXPERIMENTS)}: {one.wrong}" for one in checked if one.wrong]
    assert not wrong, "\n".join(wrong)


def test_every_mark_is_of_a_file_that_is_there():
    for readme in EXPERIMENTS.glob(f"*/{README}"):
        for file, why in marks_in(readme):
            assert file.exists() and why.strip(), f"{readme}: {file}"
