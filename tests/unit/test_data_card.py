"""The data card says what of a test split could be looked up."""

from dataclasses import replace

import numpy as np
import pytest

from evaluation.leaderboard.runs import setting_label
from evaluation.reports.results_file import read_results
from launch.cli import main
from launch.commands import data as data_command
from motiongpt.data.build import build_store
from motiongpt.data.card import CARD, data_card
from motiongpt.data.clip import Caption, Clip
from motiongpt.data.split_card import card_text
from motiongpt.files import read_json, write_json
from tests.unit.fake_source import FakeSource, joint_clip
from tests.unit.results_files import number, write


def clip(name, split, seed, *captions, frames=41):
    return joint_clip(name, split, frames, seed, captions=tuple(map(Caption, captions)))


def store_of(folder, *clips):
    return build_store(FakeSource(clips), folder, progress=False)


@pytest.fixture
def store(tmp_path):
    return store_of(
        tmp_path / "store",
        *(clip(f"a{seed}", "train", seed, f"a person walks {seed} steps.") for seed in range(6)),
        clip("twin", "test", 3, "A person walks 3 steps"),
        clip("other", "test", 9, "somebody jumps high", "a person walks 7 steps"),
    )


def test_a_twin_is_at_no_distance_and_a_known_caption_is_counted(store):
    card = data_card(store, progress=False)["test"]
    assert (card.clips, card.train, card.captions) == (2, 6, 3)
    assert card.known_percent == pytest.approx(100 / 3)
    # Of 1 (known), 0 (no word in common) and 4 of 6 words (a person walks steps, not 7 and 3).
    assert card.overlap_percent == pytest.approx(100 * 4 / 6)
    low, middle, high = card.nearest_cm
    assert 0 <= low < 0.2 * high and low < middle < high < 2 * card.any_cm


def test_distances_are_root_mean_squares_over_joints_and_moments(tmp_path):
    features = store_of(tmp_path / "one", clip("a", "train", 0, "walks")).features(0)
    up = features.copy()  # from the second frame on 0.1 m higher: 15 of 16 moments
    up[1:, [3, *range(5, 67, 3)]] += 0.1  # height of the root, and of the 21 others
    one = Clip("a", "train", (Caption("walks"),), features=features)
    store = store_of(tmp_path / "store", one, replace(one, name="b", split="test", features=up))
    card = data_card(store, progress=False)["test"]
    assert card.nearest_cm[1] == pytest.approx(10 * np.sqrt(15 / 16), rel=1e-3)
    assert card.nearest_cm[1] == pytest.approx(card.any_cm, rel=1e-3)


def test_it_is_kept_and_made_again_for_other_data(store, tmp_path, monkeypatch):
    first = data_card(store, progress=False)
    kept = read_json(store.folder / CARD, None)
    assert kept["fingerprint"] == store.fingerprint
    monkeypatch.setattr("motiongpt.data.card._made", lambda *_: pytest.fail("made again"))
    assert data_card(store) == first
    monkeypatch.setattr("motiongpt.data.card._made", lambda *_: {})
    for damage in ({**kept, "fingerprint": "x"}, {**kept, "format": 0}, {**kept, "splits": 3}, []):
        write_json(store.folder / CARD, damage)
        assert data_card(store) == {}
    (store.folder / CARD).write_text("{")
    assert data_card(store) == {}


def test_without_words_or_training_clips_less_is_said(tmp_path):
    store = store_of(tmp_path / "a", clip("a", "train", 0), clip("b", "val", 1))
    card = data_card(store, progress=False)["val"]
    assert card.known_percent is None and "caption" not in str(card)
    store = store_of(tmp_path / "b", clip("a", "train", 0, "walks"))
    assert data_card(store, progress=False) == {}


def test_tables_say_it(tmp_path, store):
    card = read_json_card(store)
    run = read_results(write(tmp_path / "run", number(), data__card=card))
    assert "% of captions in train" in setting_label(run) and "nearest training clip" in card_text(
        card
    ).replace("nearest clip", "nearest training clip")
    without = read_results(write(tmp_path / "run", number()))
    assert "nearest training clip" not in setting_label(without)


def read_json_card(store):
    data_card(store, progress=False)
    return read_json(store.folder / CARD, None)["splits"]["test"]


@pytest.mark.parametrize("action", ["card", "show"])
def test_a_wrong_path_of_the_source_is_what_is_said(action, tmp_path, capsys):
    words = ["data=bandai_namco", f"data.source.path={tmp_path}/gone.tar.xz"]
    assert main(["data", action, *words, f"paths.root={tmp_path}/root"]) == 2
    said = capsys.readouterr().err
    assert f"{tmp_path}/gone.tar.xz" in said and said.count("\n") == 1 and "NAME" not in said
    assert list(tmp_path.iterdir()) == []


def test_the_command_prints_it(store, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(data_command, "compose_config", lambda words: words)
    monkeypatch.setattr(data_command, "known_store", lambda words: (tmp_path / words[0], ""))
    assert main(["data", "card", "store"]) == 0
    assert "nearest clip" in capsys.readouterr().out
    assert main(["data", "card", "nothing"]) == 2
    assert "no motion store" in capsys.readouterr().err
    store_of(tmp_path / "alone", clip("a", "train", 0))
    assert main(["data", "card", "alone"]) == 2
    assert "to compare" in capsys.readouterr().err
