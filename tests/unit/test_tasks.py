"""Views, placeholders, the four tasks, and what is drawn from a clip."""

from collections import Counter
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from hydra import compose, initialize_config_dir

from launch.composition.build import build
from motiongpt.errors import UserError
from motiongpt.methods.motiongpt.tasks.clip_tokens import ClipTokens
from motiongpt.methods.motiongpt.tasks.example import Example
from motiongpt.methods.motiongpt.tasks.inbetween import Inbetween
from motiongpt.methods.motiongpt.tasks.motion_to_text import MotionToText
from motiongpt.methods.motiongpt.tasks.placeholders import RightPlaceholders
from motiongpt.methods.motiongpt.tasks.prediction import Prediction
from motiongpt.methods.motiongpt.tasks.query import Query
from motiongpt.methods.motiongpt.tasks.task_mix import TaskMix
from motiongpt.methods.motiongpt.tasks.templates import Templates
from motiongpt.methods.motiongpt.tasks.text_to_motion import TextToMotion
from motiongpt.methods.motiongpt.tasks.views import View, views_from
from tests.queries import query_of
from tests.unit.clip_tokens import RANGES, VOCABULARY, K, make_clip

CONF = Path(__file__).parents[2] / "conf"
ALL = (TextToMotion, MotionToText, Prediction, Inbetween)


def make_mix(*classes, **options):
    return TaskMix(K, {task.name: task for task in classes or ALL}, **options)


def examples(mix, clip, count=300):
    rng = np.random.default_rng(0)
    return [mix.example(clip, rng) for _ in range(count)]


# ---------------------------------------------------------------- views


@pytest.mark.parametrize("tokens", range(1, 60))
def test_views_give_whole_tokens_and_at_least_one(tokens):
    given, head, tail = (view.token_range(tokens) for view in views_from(RANGES))
    assert given == (0, max(1, tokens // 5))
    assert head == (0, max(1, tokens // 4))
    assert tail == (tokens - max(1, tokens // 4), tokens)
    if tokens >= 3:
        assert head[1] < tail[0]


def test_rounding_does_not_lose_a_token():
    assert View("v", 0.8, 1.0).token_range(5) == (4, 5)
    assert View("v", 0.0, 0.2).token_range(15) == (0, 3)
    assert View("v", 0.4, 0.6).token_range(10) == (4, 6)


def test_frame_range_is_the_token_range_in_frames():
    assert View("v", 0.75, 1.0).frame_range(43, 4) == (32, 40)


@pytest.mark.parametrize("ranges", [{"v": [0.5, 0.2]}, {"v": [0.1]}, {"whole": [0, 1]}])
def test_impossible_views_are_refused(ranges):
    with pytest.raises(UserError, match="view"):
        views_from(ranges)


def test_clip_shorter_than_a_token_is_refused():
    with pytest.raises(UserError, match="shorter than one token"):
        View("v", 0.0, 0.5).frame_range(3, 4)


# ---------------------------------------------------------------- placeholders


def fill(wording, answer="", clip=None, caption="hops", quote=0.0):
    placeholders = RightPlaceholders(VOCABULARY, quote)
    return placeholders.example(
        wording, answer, clip or make_clip(), caption, np.random.default_rng(0)
    )


def test_lengths_are_real_frames_and_seconds():
    found = fill("<Frame_Placeholder> frames, <Second_Placeholder> s", clip=make_clip(49, rest=2))
    assert found.input == "198 frames, 9.9 s"


def test_given_parts_come_from_their_own_views():
    write = VOCABULARY.write
    found = fill("<Motion_Placeholder_s1>", "<Motion_Placeholder_s2>")
    assert found == Example(write([30, 31, 32, 33]), write(range(4, 20)))
    masked = fill("<Motion_Placeholder_Masked>", "<Motion_Placeholder>")
    middle = [VOCABULARY.mask] * 10
    assert masked.input == write([*range(40, 45), *middle, *range(50, 55)])
    assert masked.target == write(range(20))


def test_quotes_are_for_questions_only():
    assert fill("<Caption_Placeholder>", "<Caption_Placeholder>") == Example("hops", "hops")
    quoted = fill("<Caption_Placeholder>", "<Caption_Placeholder>", quote=1.0)
    assert quoted == Example('"hops"', "hops")


def test_a_caption_that_looks_like_a_placeholder_is_not_filled():
    caption = "he holds <Motion_Placeholder> up"
    found = fill("<Caption_Placeholder> <Frame_Placeholder>", caption=caption)
    assert found.input == f"{caption} 83"


def test_missing_view_names_the_clip():
    clip = ClipTokens("walk_7", 40, 20.0, 4, ("a",), {"whole": np.arange(10)})
    with pytest.raises(UserError, match=r"walk_7.*prediction_given"):
        fill("<Motion_Placeholder_s1>", clip=clip)


def test_prompt_without_what_it_needs_is_refused():
    with pytest.raises(UserError, match="Caption_Placeholder"):
        RightPlaceholders(VOCABULARY).prompt("Do <Caption_Placeholder>", Query(20.0, 4))


# ---------------------------------------------------------------- tasks


def test_evaluation_prompts_are_training_wordings():
    mix = make_mix()
    clip = make_clip()
    seen = {example.input for example in examples(mix, clip, 4000)}
    for task in mix.values():
        assert task.prompt(query_of(mix, task.name, clip)) in seen
    assert (
        mix["text_to_motion"].prompt(query_of(mix, "text_to_motion", clip), with_length=True)
        in seen
    )
    assert (
        mix["motion_to_text"].prompt(query_of(mix, "motion_to_text", clip), with_length=True)
        in seen
    )
    assert (
        mix["prediction"].prompt(query_of(mix, "prediction", clip, "a person walks forward."))
        in seen
    )
    assert (
        mix["inbetween"].prompt(query_of(mix, "inbetween", clip, "a person walks forward.")) in seen
    )


def test_prompts_show_nothing_but_what_is_given():
    mix = make_mix()
    clip = make_clip()
    assert VOCABULARY.read(
        mix["prediction"].prompt(query_of(mix, "prediction", clip))
    ).tolist() == [30, 31, 32, 33]
    shown = VOCABULARY.read(mix["inbetween"].prompt(query_of(mix, "inbetween", clip))).tolist()
    assert shown == [*range(40, 45), *range(50, 55)]
    assert not len(
        VOCABULARY.read(mix["text_to_motion"].prompt(query_of(mix, "text_to_motion", clip)))
    )
    assert "walks" not in mix["motion_to_text"].prompt(query_of(mix, "motion_to_text", clip))
    assert "walks" not in mix["prediction"].prompt(query_of(mix, "prediction", clip))
    assert "83" not in mix["text_to_motion"].prompt(query_of(mix, "text_to_motion", clip))


def test_text_to_motion_asks_for_what_the_query_has():
    task = make_mix()["text_to_motion"]
    assert "he jumps" in task.prompt(Query(20.0, 4, text="he jumps"))
    assert "61 frames" in task.prompt(Query(20.0, 4, text="he jumps", frames=61), with_length=True)
    assert "61" in task.prompt(Query(20.0, 4, frames=61))
    assert task.prompt(Query(20.0, 4)) == "Show me any motion."


def test_output_lengths():
    mix = make_mix()
    clip = make_clip()
    counts = {name: task.output_tokens(query_of(mix, name, clip)) for name, task in mix.items()}
    expected = {"text_to_motion": 20, "motion_to_text": None, "prediction": 16, "inbetween": 20}
    assert counts == expected
    assert mix["text_to_motion"].output_tokens(Query(20.0, 4, text="a")) is None


def test_prediction_puts_the_given_part_first():
    mix = make_mix()
    task, clip = mix["prediction"], query_of(mix, "prediction", make_clip())
    whole = task.compose(np.arange(16), clip)
    assert whole.tolist() == [30, 31, 32, 33, *range(16)]
    assert len(task.compose(np.arange(50), clip)) == 20
    assert task.compose(np.arange(2), clip).tolist() == [30, 31, 32, 33, 0, 1]


@pytest.mark.parametrize("length", [0, 3, 5, 12, 20, 33])
def test_inbetween_keeps_its_ends_and_its_length(length):
    mix = make_mix()
    task = mix["inbetween"]
    whole = task.compose(np.arange(length), query_of(mix, "inbetween", make_clip()))
    assert len(whole) == 20
    assert whole[:5].tolist() == list(range(40, 45))
    assert whole[-5:].tolist() == list(range(50, 55))
    written = list(range(5, min(length, 15)))
    held = [written[-1] if written else 44] * (10 - len(written))
    assert whole[5:15].tolist() == written + held


def test_inbetween_from_two_poses():
    task = make_mix()["inbetween"]
    query = Query(20.0, 4, frames=40, start=np.array([7]), end=np.array([9]))
    assert task.prompt(query).count(VOCABULARY.token(VOCABULARY.mask)) == 8
    assert task.compose(np.arange(10), query).tolist() == [7, *range(1, 9), 9]
    with pytest.raises(UserError, match="nothing to fill"):
        task.prompt(Query(20.0, 4, frames=8, start=np.array([7]), end=np.array([9])))


def test_outputs_are_read():
    mix = make_mix()
    assert mix["text_to_motion"].codes(VOCABULARY.write([3, 4])).tolist() == [3, 4]
    cut_off = VOCABULARY.token(VOCABULARY.start) + VOCABULARY.token(3)
    assert mix["prediction"].codes(cut_off).tolist() == [3]


def test_tiny_clips_are_used_where_they_can_be():
    mix = make_mix(minimum_tokens=1)
    usable = {
        tokens: [name for name, task in mix.items() if task.usable(make_clip(tokens))]
        for tokens in (1, 2, 3)
    }
    assert usable[1] == ["text_to_motion", "motion_to_text"]
    assert usable[2] == ["text_to_motion", "motion_to_text", "prediction"]
    assert usable[3] == list(mix)


def test_too_short_clips_are_refused_by_name():
    mix = make_mix()
    assert not mix.accepts(make_clip(2))
    assert mix.accepts(make_clip(3))
    with pytest.raises(UserError, match="clip clip: 2 tokens"):
        mix.example(make_clip(2), np.random.default_rng(0))


def test_clips_without_captions_train_what_needs_none():
    clip = make_clip(captions=())
    drawn = examples(make_mix(), clip)
    assert all("<Caption" not in example.input + example.target for example in drawn)
    assert not any(example.target == "" for example in drawn)


def test_a_task_whose_kinds_all_need_captions_passes_a_clip_without():
    weights = {"framelen": 0.0, "seclen": 0.0, "random": 0.0}
    mix = TaskMix(K, {"text_to_motion": partial(TextToMotion, kind_weights=weights)})
    assert mix.accepts(make_clip())
    assert not mix.accepts(make_clip(captions=()))


# ---------------------------------------------------------------- mixes


def test_same_generator_same_examples_and_every_kind_is_drawn():
    mix, clip = make_mix(), make_clip()
    drawn = examples(mix, clip, 4000)
    assert drawn == examples(mix, clip, 4000)
    assert len({example.input for example in drawn}) == sum(
        len(kind.inputs) for kind in Templates.read().kinds
    )


def test_weights_of_tasks_and_kinds_are_kept():
    mix = TaskMix(
        K,
        {
            "prediction": partial(Prediction, weight=3.0, kind_weights={"caption_prediction": 0}),
            "inbetween": partial(Inbetween, weight=1.0),
            "motion_to_text": partial(MotionToText, weight=0.0),
        },
    )
    drawn = examples(mix, make_clip(), 2000)
    predicted = [example for example in drawn if VOCABULARY.token(30) in example.input]
    assert 0.70 < len(predicted) / len(drawn) < 0.80
    assert not any("walks" in example.input for example in predicted)
    assert all(example.target.startswith(VOCABULARY.token(K)) for example in drawn)


def test_every_choice_of_tasks_composes():
    names = {}
    for path in sorted((CONF / "tasks").glob("[!_]*.yaml")):
        with initialize_config_dir(str(CONF), version_base="1.3"):
            cfg = compose(overrides=[f"+tasks={path.stem}", f"+tokenizer.codebook_size={K}"])
        mix = build(cfg.tasks)
        names[path.stem] = sorted(mix)
        assert mix.accepts(make_clip())
    assert names["all"] == sorted(task.name for task in ALL)
    assert names["translation"] == ["motion_to_text", "text_to_motion"]
    assert names["prediction"] == ["prediction"]


@pytest.mark.parametrize("option", ["placeholders", "prompts", "outputs"])
def test_unknown_choices_name_the_valid_ones(option):
    with pytest.raises(UserError, match=r"wrong is unknown; choose one of .*released"):
        make_mix(**{option: "wrong"})


def test_unknown_task_names_the_others():
    with pytest.raises(UserError, match="prediction"):
        make_mix()["dance"]


def test_no_tasks_are_refused():
    with pytest.raises(UserError, match="tasks is empty"):
        TaskMix(K)


def test_bad_weights_are_refused():
    with pytest.raises(UserError, match="negative"):
        TaskMix(K, {"prediction": partial(Prediction, weight=-1)})
    with pytest.raises(UserError, match="weight 0"):
        TaskMix(K, {"prediction": partial(Prediction, weight=0)})
    with pytest.raises(UserError, match="kind_weights"):
        TaskMix(K, {"inbetween": partial(Inbetween, kind_weights={"motion_inbetween": -1})})


def test_released_way_is_a_training_option():
    """A1, A2, A5: token counts pass for frames, so a fifth of 20 tokens is one token."""
    mix = make_mix(Prediction, placeholders="released")
    given = {len(VOCABULARY.read(example.input)) for example in examples(mix, make_clip())}
    assert given == {1}
    captions = Counter(
        e.target[:1] for e in examples(make_mix(MotionToText, placeholders="released"), make_clip())
    )
    assert captions['"'] > 30
    told = [e.input for e in examples(make_mix(TextToMotion, placeholders="released"), make_clip())]
    assert any("20 frames" in text for text in told)
    assert not any("83" in text for text in told)


def test_released_prompts_and_outputs():
    """A4: prompts never trained on; A7: the continuation alone; A9, A10: marks and lost ends."""
    mix = make_mix(prompts="released", outputs="released", placeholders="released")
    clip = make_clip()
    assert (
        mix["text_to_motion"].prompt(query_of(mix, "text_to_motion", clip))
        == "Generate motion: a person walks forward."
    )
    assert VOCABULARY.read(
        mix["prediction"].prompt(query_of(mix, "prediction", clip))
    ).tolist() == [0, 1, 2, 3]
    assert mix["prediction"].compose(
        np.arange(16), query_of(mix, "prediction", clip)
    ).tolist() == list(range(16))
    marked = VOCABULARY.write([3, VOCABULARY.mask, 4])
    assert mix["text_to_motion"].codes(marked).tolist() == [3, K - 1, 4]
    lost_end = VOCABULARY.token(K) + VOCABULARY.token(9)
    assert mix["text_to_motion"].codes(lost_end).tolist() == [0]
