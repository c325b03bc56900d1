"""Which stages the launcher "beside" puts off, and how many threads it gives to whom."""

from launch.launchers.beside import BesideLauncher
from tests.unit.plans import planned


def plan(root):
    judge = planned(root, "tokens", "judge")
    tokenizer = planned(root, "tokenizer", "made")
    language = planned(root, "pretrain", "spoken", [tokenizer])
    return judge, tokenizer, language


def in_turn(plan, beside, meanwhile=()):
    found = BesideLauncher(beside, meanwhile).in_turn(plan)
    return [stage.run.signature for stage in found]


def test_what_shares_the_cores_comes_first_and_what_runs_beside_before_the_rest(tmp_path):
    judge, tokenizer, language = plan(tmp_path)
    order = in_turn([judge, language, tokenizer], ["tokens"], ["tokenizer"])
    assert order == ["made", "judge", "spoken"]


def test_the_two_processes_begin_at_opposite_ends(tmp_path):
    judge, tokenizer, language = plan(tmp_path)
    other = planned(tmp_path, "tokens", "other")
    order = in_turn([judge, other, tokenizer, language], ["tokens"], ["tokenizer", "pretrain"])
    assert order == ["made", "spoken", "other", "judge"]


def test_parents_come_before_children_whatever_their_names(tmp_path):
    judge, tokenizer, _ = plan(tmp_path)
    scored = planned(tmp_path, "pretrain", "scored", [judge])
    order = in_turn([scored, judge, tokenizer], ["tokens"], ["tokenizer", "pretrain"])
    assert order == ["made", "judge", "scored"]


def test_threads_depend_on_the_names_of_stages_alone(tmp_path):
    launcher = BesideLauncher(beside=["tokens"], meanwhile=["tokenizer"])
    given = [
        launcher.with_threads(stage, 4).settings.get("hardware", {}).get("threads")
        for stage in plan(tmp_path)
    ]
    assert given == [1, 3, None]
