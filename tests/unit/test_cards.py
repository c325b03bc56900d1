"""Cards: a judge that sees no order is told from one that does, and a change that is none fails."""

import json
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from evaluation.cards.card import KEPT
from evaluation.cards.make import card_of_trained, make_card, write_card
from evaluation.cards.measure import AGAIN, Settings, value_of
from evaluation.evaluators.base import Evaluator
from evaluation.perturbations.base import Perturbation, perturbations_by_name
from evaluation.replications.another_sample import ANOTHER_SAMPLE
from evaluation.replications.results import REAL
from evaluation.replications.rules import Rules
from motiongpt.data.build import build_store
from motiongpt.data.clip import Caption
from motiongpt.errors import UserError
from motiongpt.training.stage import StageContext
from tests.unit.fake_source import FakeSource, joint_clip

TEST, TRAIN, POOL = 24, 40, 8
CHANGES = ("shuffled_in_time", "reversed_in_time", "frozen", "jittered")


class Blind(Evaluator):
    """Embeds a motion as the mean of its features, whatever their order; knows captions by heart."""

    def __init__(self, store):
        self.fingerprint, self.description = "blind", {"name": "blind", "max_frames": 200}
        self.scale = store.std
        self.by_caption = {
            store.captions(i)[0].text: self.embedding(store.features(i)) for i in range(len(store))
        }

    def embedding(self, motion):
        return (motion / self.scale).mean(0)

    def motion_embeddings(self, features, packing="packed"):
        return np.stack([self.embedding(one) for one in features]).astype(np.float32)

    def text_embeddings(self, captions, max_words=20):
        texts = [one.text if isinstance(one, Caption) else one for one in captions]
        return np.stack([self.by_caption[text] for text in texts]).astype(np.float32)

    def save(self, folder):
        folder.mkdir(parents=True, exist_ok=True)

    @classmethod
    def load(cls, folder, device="cpu"):
        raise NotImplementedError


class Seeing(Blind):
    """The same, and how each feature changes from a frame to the next."""

    def embedding(self, motion):
        return np.abs(np.diff(motion[:, 4:67] / self.scale[4:67], axis=0)).mean(0)


class Judge:
    """Knows every clip that it is shown whole and in order."""

    labels = ("sway",)

    def __init__(self, store):
        self.known = {store.features(i).tobytes() for i in range(len(store))}

    def recognises(self, features, labels):
        return np.array([one.tobytes() in self.known for one in features])


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    clips = [
        joint_clip(f"{split}{i}", split, 25 + i % 7, seed=10 * i, labels=("sway",))
        for split, count in (("train", TRAIN), ("val", 9), ("test", TEST))
        for i in range(count)
    ]
    source = FakeSource(clips, action_words={"sway": ("sway",)})
    return build_store(source, tmp_path_factory.mktemp("cards") / "store", progress=False)


def context_of(store, folder):
    return StageContext("card", "0123", folder, {}, store, log=lambda line: None)


def made(store, folder, evaluator=None, classifier=None, names=CHANGES, **settings):
    settings = Settings(**{"rules": Rules(pool=POOL), "replications": 3, "seed": 7} | settings)
    chosen = names if isinstance(names, list) else perturbations_by_name(names)
    return make_card(
        context_of(store, folder), evaluator, classifier, chosen, settings, "test", None
    )


@pytest.fixture(scope="module")
def blind(store, tmp_path_factory):
    return made(store, tmp_path_factory.mktemp("blind"), Blind(store), Judge(store))


def test_a_judge_that_sees_no_order_keeps_all_of_reals_number_and_one_that_does_loses_it(
    store, tmp_path, blind
):
    assert value_of(blind.results, REAL, "r_top1").value > 0.9
    assert blind.kept("shuffled in time") == pytest.approx(100)
    seeing = made(store, tmp_path, Seeing(store))
    assert seeing.kept(REAL) == 100 and seeing.kept(AGAIN) > 90
    assert seeing.kept("shuffled in time") < 50
    assert seeing.kept("reversed in time") > 90, "how much a feature changes is the same backward"


def test_rows_are_real_made_again_each_change_and_other_real_motion(blind):
    titles = ["shuffled in time", "reversed in time", "frozen", "jittered"]
    assert blind.rows == [REAL, AGAIN, *titles, ANOTHER_SAMPLE]
    assert blind.measured.changed == dict.fromkeys(titles, 1.0)
    names = ("r_top1", "r_top2", "r_top3", "mm_dist", "fid", "action_accuracy")
    assert blind.metrics == list(names)
    for row in blind.rows[:-1]:
        assert all(value_of(blind.results, row, name) for name in names), row
    assert [one.metric for one in blind.results if one.row == ANOTHER_SAMPLE] == ["fid"]


def test_real_motion_is_at_no_distance_from_itself_and_at_some_from_another_sample(blind):
    assert value_of(blind.results, REAL, "fid").value == pytest.approx(0, abs=1e-6)
    other = value_of(blind.results, ANOTHER_SAMPLE, "fid")
    assert other.value > 0.1 and len(set(other.values)) == 3 and other.interval > 0


def test_pools_are_drawn_anew_in_each_replication_and_so_is_what_a_change_draws(store, tmp_path):
    card = made(store, tmp_path, Seeing(store), Judge(store))
    shuffled = {one.metric: one for one in card.results if one.row == "shuffled in time"}
    assert len(set(shuffled["fid"].values)) == 3 and shuffled["fid"].interval > 0
    assert shuffled["r_top1"].replications == 3
    frozen = {one.metric: one for one in card.results if one.row == "frozen"}
    assert frozen["fid"].replications == 1 and frozen["fid"].interval is None
    assert frozen["r_top1"].replications == 3


def test_the_judge_of_actions_is_asked_about_every_row(blind):
    found = {one.row: one.value for one in blind.results if one.metric == "action_accuracy"}
    assert found[REAL] == 100 and found["shuffled in time"] == 0 and ANOTHER_SAMPLE not in found


def unchanged(clip, rng):
    """Leaves the clip as it is."""
    return clip.joints


@pytest.mark.parametrize("gives", ["joints", "features"])
def test_a_change_that_does_nothing_fails(store, tmp_path, gives):
    change = unchanged if gives == "joints" else lambda clip, rng: clip.features
    nothing = Perturbation("nothing", change, gives)
    with pytest.raises(UserError, match="perturbation nothing changed none of 24 clips: mend it"):
        made(store, tmp_path, Blind(store), names=[nothing])


def test_files_say_all_that_numbers_depend_on(blind, tmp_path):
    write_card(blind, tmp_path)
    found = json.loads((tmp_path / "card.json").read_text())
    assert found["evaluator"]["fingerprint"] == "blind" and found["data"]["split"] == "test"
    assert found["settings"]["pool"] == POOL and found["settings"]["seed"] == 7
    by_row = {one["row"]: one for one in found["rows"]}
    assert by_row["shuffled in time"]["changed_clips"] == 1.0
    assert by_row["shuffled in time"]["r_top1_kept_percent"] == pytest.approx(100)
    assert by_row["shuffled in time"]["says"].startswith("The clip's own frames in a random order")
    text = (tmp_path / "card.md").read_text()
    lines = text.splitlines()
    assert "24 clips of the test split" in lines[0] and f"chance {1 / POOL:.3f}" in lines[0]
    assert lines[2].startswith("| motion | R@1 ↑ |") and lines[2].endswith(f"{KEPT} |")
    assert [line.split(" | ")[0] for line in lines[4 : 4 + len(blind.rows)]] == [
        f"| {row}" for row in blind.rows
    ]
    assert "shuffled in time" in (tmp_path / "table.txt").read_text()
    with Image.open(tmp_path / "card.png") as picture:
        assert picture.width > 600 and picture.height > 200
        assert len(picture.convert("RGB").getcolors(1 << 20)) > 4, "bars are drawn"


def test_a_judge_of_actions_has_a_card_without_an_evaluator(store, tmp_path):
    card = made(store, tmp_path, classifier=Judge(store))
    assert card.metrics == ["action_accuracy"] and card.kept(REAL) is None
    write_card(card, tmp_path)
    assert KEPT not in (tmp_path / "card.md").read_text()
    assert card.summary()["shuffled_in_time/action_accuracy"] == 0


def test_too_few_clips_for_a_pool_cost_r_precision_alone(store, tmp_path):
    card = made(store, tmp_path, Blind(store), rules=Rules(pool=64))
    assert card.metrics == ["fid"]


def test_what_has_just_been_trained_gets_its_card_from_the_validation_split(store, tmp_path):
    found = card_of_trained(context_of(store, tmp_path), tmp_path, 0, classifier=Judge(store))
    assert found["val/real/action_accuracy"] == 100
    assert json.loads((tmp_path / "card.json").read_text())["data"]["split"] == "val"
    said = []
    context = replace(context_of(store, tmp_path), log=said.append)

    class Refuses(Blind):
        def motion_embeddings(self, features, packing="packed"):
            raise UserError("clip 3: odd")

    assert card_of_trained(context, tmp_path / "b", 0, evaluator=Refuses(store)) == {}
    assert said[-1] == "  card: none: clip 3: odd" and not (tmp_path / "b").exists()


@pytest.mark.parametrize(
    ("settings", "said"),
    [({"replications": 0}, "replications=0: at least 1"), ({"caption": "last"}, "first or random")],
)
def test_settings_that_mean_nothing_are_refused(settings, said):
    with pytest.raises(UserError, match=said):
        Settings(**{"rules": Rules(), "replications": 2, "seed": 0} | settings)
