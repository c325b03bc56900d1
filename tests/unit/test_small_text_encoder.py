import numpy as np
import pytest
import torch
import yaml
from hydra.utils import instantiate
from omegaconf import OmegaConf

from launch.composition.overrides import CONF
from motiongpt.data.build import build_store
from motiongpt.data.clip import Caption
from motiongpt.data.store import MotionStore
from motiongpt.data.synthetic.source import SyntheticSource
from motiongpt.data.synthetic.words import Words
from motiongpt.errors import UserError
from motiongpt.text_encoders.caption_pairs import CaptionPairs
from motiongpt.text_encoders.contrastive import Objective
from motiongpt.text_encoders.loading import load_text_encoder
from motiongpt.text_encoders.small import caption_tokenizer, train_small
from motiongpt.text_encoders.stage import TextEncoderStage, sibling_retrieval
from motiongpt.training.stage import Hardware, StageContext
from tests.unit.fake_source import FakeSource, feature_clip

SETTINGS = {
    key: value
    for key, value in OmegaConf.to_container(
        OmegaConf.load(CONF / "text_encoder" / "small.yaml")
    ).items()
    if not key.startswith("_")
}
CPU = Hardware(accelerator="cpu")
QUICK = {**SETTINGS, "width": 64, "layers": 1, "steps": 40, "batch_size": 32}


def quiet(line):
    pass


def synthetic(count, seed):
    """Captions of clips of one action, and the actions; no motion is made."""
    rng = np.random.default_rng(seed)
    captions, labels = [], []
    for index in range(count):
        action = SyntheticSource()._actions[index % 20]
        values, words = action.draw(rng), Words(rng)
        captions.append(
            [words.sentence([words.pick(*action.phrases(values, words))]) for _ in range(2)]
        )
        labels.append(action.name)
    return captions, labels


@pytest.fixture(scope="module")
def encoder():
    return train_small(synthetic(600, 1)[0], 0, quiet, **QUICK)


def nearest_label(encoder, train, test):
    """Share of captions whose nearest training caption, by cosine, is of their action."""
    unit = torch.nn.functional.normalize
    known = unit(encoder.encode([texts[0] for texts in train[0]]), dim=-1)
    asked = unit(encoder.encode([texts[0] for texts in test[0]]), dim=-1)
    found = (asked @ known.T).argmax(1).tolist()
    return np.mean([train[1][k] == label for k, label in zip(found, test[1], strict=True)])


def test_captions_of_one_action_lie_near_each_other(encoder):
    train, test = synthetic(600, 1), synthetic(100, 2)
    assert nearest_label(encoder, train, test) > 0.9  # chance: 0.05
    wrong = test[0], test[1][1:] + test[1][:1]
    assert nearest_label(encoder, train, wrong) < 0.2


def test_training_brings_the_captions_of_a_clip_together(encoder):
    unseen = synthetic(200, 3)[0]
    untrained = train_small(synthetic(600, 1)[0], 0, quiet, **{**QUICK, "steps": 1})
    after, before = (
        sibling_retrieval(one, unseen)["sibling_top1_percent"] for one in (encoder, untrained)
    )
    assert after > before + 3.0 and after > 10.0  # chance: 0.5


def test_case_and_spaces_do_not_matter_and_the_order_of_words_does(encoder):
    plain, same, turned = encoder.encode(
        ["a person walks then waves", "  A person\twalks  then Waves ", "a person waves then walks"]
    )
    torch.testing.assert_close(plain, same, atol=1e-6, rtol=1e-5)
    assert (plain - turned).norm() > 1e-2


def test_one_seed_gives_one_encoder_and_leaves_torch_alone():
    captions = synthetic(40, 1)[0]
    quick = {**QUICK, "steps": 3}
    state = torch.random.get_rng_state()
    one = train_small(captions, 7, quiet, **quick)
    assert torch.equal(torch.random.get_rng_state(), state)
    torch.rand(5)
    same, other = (train_small(captions, seed, quiet, **quick) for seed in (7, 8))
    features = one.encode(captions[0])
    assert torch.equal(same.encode(captions[0]), features)
    assert not torch.allclose(other.encode(captions[0]), features)


def test_a_clip_with_one_caption_learns_by_losing_words():
    said = []
    encoder = train_small(
        [["a man hops"], [], ["a man sits down", " "]], 0, said.append, **{**QUICK, "steps": 5}
    )
    assert "2 clips with captions" in said[0] and "step 5/5" in said[-1]
    assert torch.isfinite(encoder.encode(["a man hops", ""])).all()


def test_no_captions_and_sizes_that_do_not_fit_give_one_line():
    with pytest.raises(UserError, match="no training clip has one: take a data set with captions"):
        train_small([[], [" "]], 0, quiet, **QUICK)
    with pytest.raises(UserError, match="width 64 is no multiple of 5 heads"):
        train_small([["a"]], 0, quiet, **{**QUICK, "heads": 5})


def pairs_of(clips, word_dropout):
    tokenizer = caption_tokenizer([text for texts in clips for text in texts], 400)
    return tokenizer, CaptionPairs(clips, tokenizer, 32, word_dropout, seed=0)


def test_pairs_are_two_captions_of_a_clip_and_name_those_that_share_one():
    clips = [["a man hops", "he hops"], ["he hops", "hopping"], ["sits down", "a seat"], ["alone"]]
    tokenizer, pairs = pairs_of(clips, 0.0)
    batch = pairs.draw(64)
    texts = tokenizer.batch_decode(batch.input_ids, skip_special_tokens=True)
    views = [{texts[k].strip(), texts[k + 4].strip()} for k in range(4)]
    chosen = [next(k for k, one in enumerate(clips) if set(one) == view) for view in views]
    assert sorted(chosen) == [0, 1, 2, 3]
    share = [[k == j or {k, j} == {0, 1} for j in chosen] for k in chosen]
    assert batch.alike.tolist() == share
    counts = [len(set(row)) for row in tokenizer([f"{text}" for text in texts])["input_ids"]]
    assert batch.words.sum(1).tolist() == [count - 1 for count in counts]  # the end is left out


def test_word_dropout_loses_words_and_never_the_end():
    tokenizer, pairs = pairs_of([["one two three four five six seven eight"]], 0.5)
    lengths = set()
    for _ in range(20):
        batch = pairs.draw(1)
        last = batch.attention_mask.sum(1) - 1
        ends = batch.input_ids[torch.arange(2), last]
        assert (ends == tokenizer.eos_token_id).all()
        lengths |= set(batch.attention_mask.sum(1).tolist())
    whole = len(tokenizer("one two three four five six seven eight")["input_ids"])
    assert len(lengths) > 3 and max(lengths) <= whole


def test_a_clip_with_the_same_caption_is_no_negative():
    clips = [["a man hops"], ["a man hops"], ["sits down"]]
    tokenizer, pairs = pairs_of(clips, 0.0)
    batch = pairs.draw(3)
    objective = Objective(8, len(tokenizer), temperature=0.05, words=0.0)
    # equal captions have equal features, and different ones are at right angles
    directions = torch.nn.functional.one_hot(batch.alike.int().argmax(1), 8).float()
    features = directions.repeat(2, 1)
    assert objective(features, batch).item() < 1e-3
    negative = batch._replace(alike=torch.eye(3, dtype=torch.bool))
    assert objective(features, negative).item() > 0.4


def store_of(tmp_path, captions):
    clips = [
        feature_clip(
            f"c{index}",
            split="val" if index % 4 == 3 else "train",
            captions=tuple(Caption(text) for text in texts),
        )
        for index, texts in enumerate(captions)
    ]
    return build_store(FakeSource(clips), tmp_path / "store", progress=False)


def run_stage(tmp_path, captions, hardware=CPU, said=None):
    settings = yaml.safe_load((CONF / "stage" / "text_encoder.yaml").read_text())
    node = OmegaConf.create(
        {"_target_": "motiongpt.text_encoders.small.train_small", "_partial_": True, **QUICK}
    )
    node.steps = 3
    stage = instantiate(
        {"_target_": settings["_target_"], "text_encoder": node, "seed": 5}, _recursive_=False
    )
    assert isinstance(stage, TextEncoderStage)
    folder = tmp_path / "run"
    folder.mkdir()
    context = StageContext(
        "text_encoder",
        "0" * 16,
        folder,
        {},
        store_of(tmp_path, captions),
        hardware=hardware,
        log=quiet if said is None else said.append,
    )
    return stage.run(context), folder / "model"


def test_the_stage_leaves_a_model_and_numbers(tmp_path):
    captions, _ = synthetic(24, 1)
    said = []
    metrics, model = run_stage(tmp_path, captions, said=said)
    loaded = load_text_encoder(model)
    assert metrics["width"] == loaded.width == 64
    assert metrics["parameters"] == sum(weight.numel() for weight in loaded.parameters())
    assert 0.0 <= metrics["val/sibling_top1_percent"] <= 100.0
    assert metrics["val/sibling_chance_percent"] == pytest.approx(100 / 6)
    train = [texts for index, texts in enumerate(captions) if index % 4 != 3]
    same = train_small(train, 5, quiet, **{**QUICK, "steps": 3})
    torch.testing.assert_close(
        same.encode(captions[0]), loaded.encode(captions[0]), atol=1e-4, rtol=1e-3
    )
    assert any("step 3/3" in line for line in said)


def test_a_store_without_captions_gives_one_line(tmp_path, monkeypatch):
    monkeypatch.setattr(MotionStore, "captions", lambda store, index: ())
    with pytest.raises(UserError, match="no training clip has one") as caught:
        run_stage(tmp_path, [["a man hops"]] * 4)
    assert "\n" not in str(caught.value)


def test_without_validation_captions_the_numbers_are_left_out(tmp_path):
    said = []
    metrics, _ = run_stage(tmp_path, [["a man hops"]] * 4, said=said)
    assert set(metrics) == {"width", "parameters"}
    assert any("no two validation clips" in line for line in said)


def test_the_sibling_is_looked_for_among_all_second_captions():
    class ByLength:
        def encode(self, texts):
            return torch.nn.functional.one_hot(torch.tensor([len(t) for t in texts]), 9).float()

    right = [["a", "b"], ["aa", "bb"], ["aaa", "bbb"], ["alone"]]
    assert sibling_retrieval(ByLength(), right)["sibling_top1_percent"] == 100.0
    crossed = [["a", "bb"], ["aa", "b"], ["aaa", "bbb"]]
    assert sibling_retrieval(ByLength(), crossed)["sibling_top1_percent"] == pytest.approx(100 / 3)
    assert sibling_retrieval(ByLength(), right[:1]) == {}
