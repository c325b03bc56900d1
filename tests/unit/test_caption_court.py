"""Several systems before one court: orders, tests, reversals, files, and what is refused."""

import json
from html.parser import HTMLParser

import numpy as np
import pytest
from jsonschema import Draft202012Validator

from evaluation.captions.clip_statistics import mean_statistics
from evaluation.captions.court.findings import Key, find
from evaluation.captions.court.preparation import prepare
from evaluation.captions.court.results import SCHEMA_FILE, validator
from evaluation.captions.court.scoring import Scored, score_systems
from launch.cli import main
from launch.composition.studies import EXPERIMENTS
from motiongpt.errors import UserError
from tests.offline import offline
from tests.shared import shared

REFERENCES = {
    "kick": ["A man kicks with his left leg.", "the standing person kicks once with a foot"],
    "walk": ["A person walks forward, then turns around."],
    "wave": ["someone waves the right hand", "a person waves hello", "A person is waving, twice."],
    "sit": ["A person sits down on a chair.", "the man sits"],
}
TOKENS = {
    "kick": [
        "a/DET man/NOUN kick/VERB with/ADP his/DET left/ADJ leg/NOUN",
        "person/NOUN kick/VERB",
    ],
    "walk": ["a/DET person/NOUN walk/VERB forward/ADV then/ADV turn/VERB around/ADV"],
    "wave": [
        "someone/PRON wave/VERB hand/NOUN",
        "a/DET person/NOUN wave/VERB",
        "person/NOUN wave/VERB",
    ],
    "sit": [
        "a/DET person/NOUN sit/VERB down/ADV on/ADP a/DET chair/NOUN",
        "the/DET man/NOUN sit/VERB",
    ],
}
# One writes as people do, one as the data set's processed words are: which is better is the
# protocol's to say.
RAW = {name: captions[0] for name, captions in REFERENCES.items()}
PROCESSED = {
    name: " ".join(word.split("/")[0] for word in tokens[0].split())
    for name, tokens in TOKENS.items()
}
HOSTILE = dict.fromkeys(REFERENCES, '<script>alert("x")</script> | =1+1')


def write_lines(path, lines):
    path.write_text("\n".join(json.dumps(line) for line in lines) + "\n")
    return path


@pytest.fixture
def files(tmp_path):
    references = write_lines(
        tmp_path / "references.jsonl",
        [
            {"id": name, "references": captions, "tokens": TOKENS[name]}
            for name, captions in REFERENCES.items()
        ],
    )
    predictions = write_lines(
        tmp_path / "several.jsonl",
        [
            {"id": name, "predictions": {"people": RAW[name], "words": PROCESSED[name]}}
            for name in REFERENCES
        ],
    )
    return ["--references", str(references), "--predictions", str(predictions)]


def score(*words):
    return main(["score", "captions", *map(str, words), "--resamples", "200"])


def results(folder):
    found = json.loads((folder / "results.json").read_text())
    validator().validate(found)
    return found


def test_the_schema_is_one():
    Draft202012Validator.check_schema(json.loads(SCHEMA_FILE.read_text()))


def test_the_command_compares_all_systems_under_all_protocols(files, tmp_path, capsys):
    assert score(*files, "--output", tmp_path / "court", "--protocol", "coco/raw", "--protocol",
                 "coco/processed", "--protocol", "normalised") == 0  # fmt: skip
    shown = capsys.readouterr().out
    found = results(tmp_path / "court")
    protocols = {one["name"] for one in found["protocols"]}
    assert protocols >= {"coco/raw", "coco/normalised", "coco/processed"}
    values = {(s["metric"], s["protocol"], s["system"]): s for s in found["scores"]}
    assert values["bleu1", "coco/raw", "people"]["value"] == pytest.approx(1)
    assert values["bleu1", "coco/processed", "words"]["value"] == pytest.approx(1)
    assert all(
        s["low"] <= s["value"] <= s["high"] for s in found["scores"] if s["metric"] == "bleu1"
    )
    reversed_ = [
        one for one in found["reversals"]
        if one["metric"] == "bleu1" and {one["first_ahead"], one["second_ahead"]} == {"coco/raw", "coco/processed"}
    ]  # fmt: skip
    assert reversed_ and found["counts"]["reversals"] == len(found["reversals"])
    assert (
        "Orders that two protocols reverse" in shown and "words > people: coco/processed" in shown
    )
    assert [one["name"] for one in found["systems"]] == ["people", "words"]
    assert (
        found["systems"][0]["file"] == "several.jsonl" and len(found["references"]["sha256"]) == 64
    )
    assert str(tmp_path) not in (tmp_path / "court" / "results.json").read_text()


def test_bert_score_without_its_model_is_left_out_with_its_reason(files, tmp_path, monkeypatch):
    offline(monkeypatch)
    assert score(*files, "--output", tmp_path / "court", "--protocol", "coco/raw", "--protocol",
                 "bert_score/raw") == 0  # fmt: skip
    (left,) = results(tmp_path / "court")["left_out"]
    assert left["protocol"] == "bert_score/raw" and "can't be loaded" in left["reason"]
    assert "left out: bert_score/raw" in (tmp_path / "court" / "table.md").read_text()


def test_a_second_time_gives_the_same_numbers_and_another_seed_others(files, tmp_path):
    found = []
    for name, more in (("a", []), ("b", []), ("c", ["--seed", "1"])):
        assert score(*files, "--protocol", "coco/raw", "--output", tmp_path / name, *more) == 0
        found.append(results(tmp_path / name))
    first, second, other = (one["comparisons"] for one in found)
    assert first == second and first != other


def test_texts_of_files_stay_words(files, tmp_path):
    name = '<b>&"evil|=1'
    lines = [{"id": clip, "predictions": {name: text}} for clip, text in HOSTILE.items()]
    other = write_lines(tmp_path / "other.jsonl", lines)
    assert score(*files, "--predictions", other, "--protocol", "coco/raw", "--output",
                 tmp_path / "court") == 0  # fmt: skip
    page = (tmp_path / "court" / "page.html").read_text()
    seen = Tags()
    seen.feed(page)
    assert "script" not in seen.tags and "<b>" not in page and name in seen.words
    assert not seen.links and "<b>" not in (tmp_path / "court" / "table.md").read_text()


class Tags(HTMLParser):
    def __init__(self):
        super().__init__()
        self.tags, self.words, self.links = [], "", []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.links += [value for key, value in attrs if key in ("src", "href") and value]

    def handle_data(self, data):
        self.words += data


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (["--protocol", "cooked"], "cooked: no such caption protocol; valid: raw, normalised"),
        (["--protocol", "coco/cooked"], "coco/cooked: no such caption protocol"),
        (["--system", "yours"], "--system yours: no such system; there are people, words"),
        (["--resamples", "0"], "--resamples 0"),
        (["--seed", "-1"], "--seed -1"),
        (["captions=bleurt"], "valid: coco, nlg_metricverse"),
        (
            ["captions=nlg_metricverse", "captions.back_end.bleu_script=no.py"],
            "no.py: no such file",
        ),
        (["--bert", "nowhere/at/all"], "nowhere/at/all"),
    ],
)
def test_bad_choices_are_one_line_and_nothing_is_written(
    files, tmp_path, capsys, more, said, monkeypatch
):
    offline(monkeypatch)
    words = ["score", "captions", *files, "--output", str(tmp_path / "court"), *more]
    assert main(words) == 2
    shown = capsys.readouterr()
    assert said in shown.err and shown.err.strip().count("\n") == 0 and not shown.out
    assert not (tmp_path / "court").exists()


def test_systems_of_different_clips_and_missing_references_are_one_line(files, tmp_path, capsys):
    few = write_lines(tmp_path / "few.jsonl", [{"id": "kick", "prediction": "a man"}])
    more = write_lines(tmp_path / "more.jsonl", [{"id": "fly", "prediction": "a man"}])
    damaged = tmp_path / "damaged.jsonl"
    damaged.write_text('{"id": "kick", "prediction": "a m')
    for path, said in (
        (few, "few: 3 of 4 clips have no prediction, first walk"),
        (more, "more.jsonl:1: fly: no clip of the references has this id"),
        (damaged, "damaged.jsonl:1: not a line of JSON"),
    ):
        assert score(*files, "--predictions", path) == 2
        shown = capsys.readouterr()
        assert said in shown.err and shown.err.count("\n") == 1


def test_processed_references_without_tokens_or_spacy_are_left_out(files, tmp_path, monkeypatch):
    def absent():
        raise UserError("parts of speech by spaCy: ModuleNotFoundError")

    monkeypatch.setattr("evaluation.captions.court.preparation.SpacyTags", absent)
    with pytest.raises(UserError, match="no spaCy with en_core_web_sm"):
        prepare("processed", REFERENCES, {})
    with pytest.raises(UserError, match="boiled: no such preparation"):
        prepare("boiled", REFERENCES, {})
    found = prepare("processed", REFERENCES, {"one": RAW}, TOKENS)
    assert found.references[1] == ["a person walk forward then turn around"] * 3
    assert found.predictions["one"][0] == RAW["kick"]


def keyed(values):
    """Statistics of (metric, protocol, system) -> numbers by clip."""
    return {Key(*key): mean_statistics(one) for key, one in values.items()}


def test_a_clip_without_a_word_left_leaves_the_protocol_out_and_is_named(tmp_path):
    references = {"odd": ["...", "?!"], "walk": REFERENCES["walk"]}
    systems = {"ours": {"odd": "a man walks", "walk": "a man walks"}}
    assert len(prepare("raw", references, systems).references) == 2
    with pytest.raises(UserError, match="odd: the protocol normalised leaves no word of its"):
        prepare("normalised", references, systems)
    with pytest.raises(UserError, match="walk: the protocol processed leaves no word of its"):
        prepare("processed", references, systems, {"odd": ["a/X"], "walk": [""]})
    lines = [{"id": name, "references": captions} for name, captions in references.items()]
    sentences = [{"id": name, "predictions": {"one": "x", "two": "y"}} for name in references]
    files = ("--references", write_lines(tmp_path / "r.jsonl", lines))
    files += ("--predictions", write_lines(tmp_path / "p.jsonl", sentences))
    assert score(*files, "--protocol", "coco/normalised") == 2
    assert score(*files, "--protocol", "coco/normalised", "--protocol", "coco/raw",
                 "--output", tmp_path / "court") == 0  # fmt: skip
    (left,) = results(tmp_path / "court")["left_out"]
    assert left["protocol"] == "coco/normalised" and "odd" in left["reason"]


def test_reversals_are_counted_and_the_sure_ones_told_apart():
    rng = np.random.default_rng(0)
    noise = rng.normal(size=(3, 400))
    statistics = keyed(
        {
            ("m", "p/raw", "a"): 1 + noise[0],
            ("m", "p/raw", "b"): 0 + noise[1],
            ("m", "p/raw", "c"): 0.001 + noise[1],
            ("m", "q/raw", "a"): 0 + noise[0],
            ("m", "q/raw", "b"): 1 + noise[1],
            ("m", "q/raw", "c"): 0.999 + noise[1] + 0.3 * noise[2],
        }
    )
    resampled = np.array(
        [
            one.values[:, 0][rng.integers(0, 400, (500, 400))].mean(axis=1)
            for one in statistics.values()
        ]
    )
    found = find(statistics, resampled)
    assert len(found.comparisons) == 6 and found.orders == 3
    pairs = {(one.here.first, one.here.second): one for one in found.reversals}
    assert pairs["a", "b"].told_apart and pairs["a", "b"].outside
    assert pairs["a", "b"].here.protocol == "p/raw"  # where the first is ahead
    assert all(one.corrected >= one.p for one in found.comparisons)
    doubtful = [one for pair, one in pairs.items() if pair == ("b", "c")]
    assert not any(one.outside for one in doubtful)


class HalfBackEnd:
    """Has one metric for everyone, one for nobody, and one that fails at the second system."""

    name, package, metrics = "half", "numpy", ("good", "bad", "late")

    def clip_statistics(self, references, predictions, metrics):
        if "bad" in metrics:
            raise UserError("bad: its script can't be reached")
        if "late" in metrics and predictions[0] == "second":
            raise UserError("late: not this one")
        return {metric: mean_statistics([1.0] * len(predictions)) for metric in metrics}


def test_one_metrics_trouble_costs_no_other():
    prepared = prepare("raw", {"x": ["a"]}, {"one": {"x": "first"}, "two": {"x": "second"}})
    scored, ticks = Scored(), []
    score_systems(HalfBackEnd(), prepared, scored, lambda: ticks.append(1))
    assert [key.metric for key in scored.statistics] == ["good", "good"] and len(ticks) == 2
    assert {(one.metric, one.reason) for one in scored.left_out} == {
        ("bad", "bad: its script can't be reached"),
        ("late", "late: not this one"),
    }
    assert scored.protocols[0].metrics == ["good"]


# ../shared/data/captions/README.md and ../shared/reference/published_more.yaml (motius_m2t)
RAW_SCORES = {
    "tm2t": (0.491238, 0.075974, 0.380794, 0.171853),
    "motiongpt": (0.460494, 0.121049, 0.384904, 0.34093),
    "motiongpt3": (0.538316, 0.160503, 0.416454, 0.407711),
    "vermo": (0.525433, 0.16089, 0.422328, 0.400626),
}


@pytest.mark.long
@pytest.mark.slow
def test_four_published_systems_have_their_published_scores(tmp_path):
    first = shared("data", "captions", "humanml3d_test_captions.jsonl")
    second = shared("data", "captions", "more_predictions.jsonl")
    assert score("--references", first, "--predictions", first, "--predictions", second,
                 "--protocol", "coco/raw", "--output", tmp_path) == 0  # fmt: skip
    found = {(one["system"], one["metric"]): one["value"] for one in results(tmp_path)["scores"]}
    for system, numbers in RAW_SCORES.items():
        for metric, number in zip(("bleu1", "bleu4", "rougeL", "cider"), numbers, strict=True):
            assert found[system, metric] == pytest.approx(number, abs=1e-6), (system, metric)


COMMITTED = EXPERIMENTS / "caption_court"


def test_the_committed_study_keeps_the_schema_and_its_readme_says_what_it_found():
    found = results(COMMITTED / "results")
    said = " ".join((COMMITTED / "README.md").read_text().split())
    counts = found["counts"]
    assert f"Of {counts['orders']} orders" in said
    assert f"{counts['reversals']} are reversed" in said
    assert f"{counts['reversals_outside']} of them outside the intervals" in said
    assert f"{counts['reversals_told_apart']} after the correction" in said
    assert f"for {counts['comparisons']} comparisons" in said
    for one in found["scores"]:
        if one["metric"] == "cider" and one["protocol"].startswith("coco/"):
            value = f"{one['value']:.3f}"
            assert any(
                text in said
                for text in (
                    f"{mark}{value}{mark} [{one['low']:.3f}, {one['high']:.3f}]"
                    for mark in ("", "**")
                )
            ), one
    # The data stay outside: no caption is in the results.
    assert "kick" not in (COMMITTED / "results" / "results.json").read_text()
