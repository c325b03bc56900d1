"""BERTScore with a small local model in place of roberta-large."""

import json
import shutil

import pytest

from evaluation.captions.bert import BertScoreBackEnd, baseline
from evaluation.metrics.base import Batch
from evaluation.metrics.captions import CaptionScores
from launch.cli import main
from motiongpt.errors import UserError
from tests.offline import offline
from tests.unit.cases import make_case
from tests.unit.tiny_roberta import save_tiny_roberta

WALK, WAVE = "a person walks forward.", "someone waves the right hand"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    # A name by which the package itself would take the model for a T5.
    return save_tiny_roberta(tmp_path_factory.mktemp("t5") / "roberta")


def back_end(folder, **options):
    return BertScoreBackEnd(**({"layers": 2, "folder": str(folder)} | options))


def test_a_sentence_like_its_reference_scores_full_and_others_less(folder):
    for idf in (True, False):
        one = back_end(folder, idf=idf)
        same = one.score([[WALK], [WAVE]], [WALK, WAVE])
        other = one.score([[WALK], [WAVE]], [WAVE, WALK])
        assert same["bert_raw"] == pytest.approx(100, abs=1e-3)
        assert other["bert_raw"] < 99
        # The best of several references counts.
        assert one.score([[WAVE, WALK]], [WALK])["bert_raw"] == pytest.approx(100, abs=1e-3)


def test_it_is_the_score_of_the_package(folder, tmp_path):
    from bert_score import BERTScorer

    # The package's own loading can't take a folder whose path holds "t5".
    plain = save_tiny_roberta(tmp_path / "roberta")
    if "t5" in str(plain):
        pytest.skip("this folder's path holds t5")
    references, predictions = [[WALK, WAVE], [WAVE, "a man"]], ["a person waves", "a man sits"]
    for layers in (1, 2):
        theirs = BERTScorer(str(plain), num_layers=layers, device="cpu")
        expected = 100 * theirs.score(predictions, references)[2].mean().item()
        found = back_end(folder, layers=layers, idf=False).score(references, predictions)
        assert found["bert_raw"] == pytest.approx(expected, abs=1e-3)
    sentences = [caption for captions in references for caption in captions]
    theirs = BERTScorer(str(plain), num_layers=2, idf=True, idf_sents=sentences, nthreads=0)
    expected = 100 * theirs.score(predictions, references)[2].mean().item()
    found = back_end(folder).score(references, predictions)
    assert found["bert_raw"] == pytest.approx(expected, abs=1e-3)


def test_rescaling_is_that_of_the_published_pair(folder):
    # ../shared/reference/published.yaml: 88.84 is 33.88 for roberta-large.
    floor = baseline("roberta-large", 17)
    assert 100 * (0.8884 - floor) / (1 - floor) == pytest.approx(33.88, abs=0.02)
    found = back_end(folder).score([[WALK]], [WAVE])
    floor = baseline("roberta-large", 2)
    expected = 100 * (found["bert_raw"] / 100 - floor) / (1 - floor)
    assert found["bert_rescaled"] == pytest.approx(expected)


def test_without_a_baseline_there_is_no_rescaled_number(folder):
    one = back_end(folder, model="tiny")
    assert one.metrics == ("bert_raw",) and set(one.score([[WALK]], [WALK])) == {"bert_raw"}
    assert set(CaptionScores(one).numbers) == {"bert_raw"}
    assert baseline("roberta-large", 99) is None


def test_sentences_without_words_and_long_ones(folder):
    found = back_end(folder).score([[WALK], [WAVE]], ["", WAVE])
    assert 0 < found["bert_raw"] < 99
    long = " ".join([WALK] * 40)
    found = back_end(folder).score([[long], [WAVE]], [long, WAVE])
    assert found["bert_raw"] == pytest.approx(100, abs=1e-3)


def test_as_a_metric_it_gives_both_numbers(folder):
    metric = CaptionScores(back_end(folder))
    cases = [make_case([[[0, 0, 0]] * 22], captions=(one,), text=one) for one in (WALK, WAVE)]
    metric.update(Batch(cases=cases))
    found = metric.compute()
    assert set(found) == {"bert_raw", "bert_rescaled"} == set(metric.numbers)
    assert found["bert_raw"].item() == pytest.approx(100, abs=1e-3)


@pytest.mark.parametrize("layers", [0, 3])
def test_a_layer_that_the_model_lacks_is_named(folder, layers):
    with pytest.raises(UserError, match=f"layers={layers}: .* has 1 to 2"):
        back_end(folder, layers=layers).score([[WALK]], [WALK])


def test_a_model_that_cannot_be_loaded_is_one_line(folder, tmp_path, monkeypatch):
    offline(monkeypatch)
    shutil.copytree(folder, tmp_path / "half", ignore=shutil.ignore_patterns("*.safetensors"))
    (tmp_path / "empty").mkdir()
    for options, words in (
        ({"model": "nobody/has-this-model"}, "can't be loaded .*--bert FOLDER"),
        ({"folder": str(tmp_path / "half"), "layers": 2}, "half can't be loaded .*--bert FOLDER"),
        ({"folder": str(tmp_path / "empty")}, "empty: no model here"),
        ({"folder": str(tmp_path / "none")}, "none: no model here"),
    ):
        with pytest.raises(UserError, match=words) as raised:
            BertScoreBackEnd(**options).score([[WALK]], [WALK])
        assert "\n" not in str(raised.value)


def test_the_command_adds_it_to_the_other_scores(folder, tmp_path, capsys):
    references, predictions = tmp_path / "r.jsonl", tmp_path / "p.jsonl"
    pairs = {"a": WALK, "b": WAVE}
    lines = [json.dumps({"id": name, "references": [text]}) for name, text in pairs.items()]
    references.write_text("\n".join(lines))
    lines = [json.dumps({"id": name, "prediction": text}) for name, text in pairs.items()]
    predictions.write_text("\n".join(lines))
    words = ["score", "captions", "--references", str(references), "--predictions"]
    words += [str(predictions), "--bert", str(folder), "metrics.bert_score.back_end.layers=2"]
    assert main(words) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["metrics"]["bleu1"] == pytest.approx(1)
    assert found["metrics"]["bert_raw"] == pytest.approx(100, abs=1e-3)
    assert found["bert_score"] == {
        "model": "roberta-large",
        "layers": 2,
        "folder": str(folder),
        "idf": True,
    }
    assert set(found["versions"]) == {"pycocoevalcap", "bert-score"}
