"""Which clips an example can be drawn for: one question for all that are alike, the same answer."""

import numpy as np
import pytest

from launch.composition.build import build
from launch.composition.compose import compose_config
from motiongpt.data.build import build_store
from motiongpt.data.clip import Caption
from motiongpt.data.store import MotionStore
from motiongpt.methods.motiongpt.token_store import TokenStore
from motiongpt.methods.motiongpt.training.language_data import LanguageExamples, TokenisedClips
from tests.unit.fake_source import FakeSource, feature_clip

FRAMES = (8, 11, 12, 13, 16, 40)


@pytest.fixture(scope="module")
def clips(tmp_path_factory):
    """60 clips of six lengths, every third without words; two views, of all and of the first 20 %."""
    folder = tmp_path_factory.mktemp("clips")
    made = [
        feature_clip(
            f"clip{i}",
            "val" if i % 5 == 0 else "train",
            FRAMES[i % len(FRAMES)],
            seed=i,
            captions=() if i % 3 == 0 else (Caption("a person walks"), Caption("walking")),
        )
        for i in range(60)
    ]
    store = build_store(FakeSource(made), folder / "store", progress=False)
    counts = store.lengths // 4
    names = compose_config().stage.tokens.views
    codes = {"whole": [np.zeros(n, np.int64) for n in counts]}
    codes |= {name: [np.zeros(max(1, n // 5), np.int64) for n in counts] for name in names}
    TokenStore.write(folder / "tokens", codes, 4, 512)
    return TokenisedClips(MotionStore.open(store.folder), TokenStore.open(folder / "tokens"))


def one_by_one(clips, mix, split):
    return [int(i) for i in clips.store.indices(split) if mix.accepts(clips[int(i)])]


class Few:
    """Takes clips of four codes or more that have words, and counts how often it is asked."""

    asked = 0

    def accepts(self, clip):
        self.asked += 1
        return clip.tokens >= 4 and bool(clip.captions)


@pytest.mark.parametrize("split", ["train", "val", "test"])
def test_alike_clips_are_asked_about_once(clips, split):
    expected, mix = one_by_one(clips, Few(), split), Few()
    found = LanguageExamples(clips, mix).indices(split)
    assert found.tolist() == expected and found.dtype == np.int64
    assert mix.asked <= 2 * len(FRAMES)
    assert (split == "test") == (mix.asked == 0) == (not expected)


@pytest.mark.parametrize("tasks", ["all", "translation", "text_to_motion"])
def test_the_projects_own_tasks_are_asked_nothing_else(clips, tasks):
    mix = build(compose_config([f"tasks={tasks}"]).stage.instruct.tasks)
    expected = one_by_one(clips, mix, "train")
    assert expected and LanguageExamples(clips, mix).indices("train").tolist() == expected
