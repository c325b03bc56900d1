import json
import os
import subprocess

import pytest

from evaluation.captions.coco import CocoBackEnd
from evaluation.captions.files import read_references, read_systems, read_tokens
from evaluation.captions.protocol import PROTOCOLS, CaptionProtocol, caption_protocol
from evaluation.captions.score import score_captions
from launch.cli import main
from motiongpt.errors import UserError
from tests.shared import shared

# ../shared/data/captions/README.md
PUBLISHED = {
    "tm2t": {"bleu1": 0.491238, "bleu4": 0.075974, "rougeL": 0.380794, "cider": 0.171853},
    "motiongpt": {"bleu1": 0.460494, "bleu4": 0.121049, "rougeL": 0.384904, "cider": 0.340930},
}
REFERENCES = {
    "kick": ["A man kicks with his left leg.", "the standing person kicks once with a foot"],
    "walk": ["a person walks forward, then turns around."],
    "wave": ["someone waves the right hand", "a person waves hello", "A person is waving, twice."],
}


def captions_file():
    return shared("data", "captions", "humanml3d_test_captions.jsonl")


def write_lines(path, lines):
    path.write_text(
        "\n".join(line if isinstance(line, str) else json.dumps(line) for line in lines) + "\n"
    )
    return path


def score(references, predictions, protocol="raw"):
    return score_captions(references, predictions, caption_protocol(protocol), CocoBackEnd())[
        "metrics"
    ]


@pytest.mark.parametrize("system", PUBLISHED)
def test_the_published_scores_of_real_systems(system, tmp_path, capsys):
    rows = [json.loads(line) for line in captions_file().read_text().splitlines()]
    predictions = write_lines(
        tmp_path / "predictions.jsonl",
        [{"id": row["id"], "prediction": row["predictions"][system]} for row in reversed(rows)],
    )
    words = [
        "score",
        "captions",
        "--references",
        str(captions_file()),
        "--predictions",
        str(predictions),
    ]
    assert main(words) == 0
    result = json.loads(capsys.readouterr().out)
    assert result["metrics"] == pytest.approx(PUBLISHED[system], abs=1e-6)
    assert (result["protocol"], result["backend"], result["samples"]) == ("raw", "coco", 4400)


@pytest.mark.slow
def test_tokenisation_moves_a_real_score_as_published():
    references = read_references(captions_file())
    found = read_systems([captions_file()], references, ["motiongpt"])
    predictions = found["motiongpt"].sentences
    assert round(score(references, predictions, "normalised")["cider"], 2) == 0.44


@pytest.mark.slow
@pytest.mark.parametrize("system", PUBLISHED)
def test_nlg_metricverse_agrees_on_cider_of_real_systems(system, capsys):
    assert (
        main(
            [
                "score",
                "captions",
                "--references",
                str(captions_file()),
                "--predictions",
                str(captions_file()),
                "--system",
                system,
                "captions=nlg_metricverse",
                "captions.back_end.metrics=[rougeL,cider]",
            ]
        )
        == 0
    )
    result = json.loads(capsys.readouterr().out)
    assert result["metrics"]["cider"] == pytest.approx(PUBLISHED[system]["cider"], abs=1e-6)
    # Its ROUGE-L is another measure (F1, letters and digits only), so only near.
    assert result["metrics"]["rougeL"] == pytest.approx(PUBLISHED[system]["rougeL"], abs=0.05)
    assert (result["backend"], result["system"]) == ("nlg_metricverse", system)


def test_every_clip_has_three_references():
    raw = PROTOCOLS["raw"]
    assert raw.reference_sentences(["A"]) == ["A", "A", "A"]
    assert raw.reference_sentences(["A", "B"]) == ["A", "B", "A"]
    assert raw.reference_sentences(["A", "B", "C", "D"]) == ["A", "B", "C"]


def test_raw_leaves_a_sentence_as_it_stands_and_normalised_does_not():
    sentence = "A man  kicks, with his left-leg."
    assert PROTOCOLS["raw"].sentence(sentence) == sentence
    assert PROTOCOLS["normalised"].sentence(sentence) == "a man kicks with his leftleg"
    assert CaptionProtocol("", lower_case=True, drop_punctuation=False).sentence("A.  B") == "a.  b"


def test_the_protocol_prepares_predictions_and_references_alike():
    loud = {name: captions[0].upper() + " !" for name, captions in REFERENCES.items()}
    assert score(REFERENCES, loud, "normalised")["bleu4"] == pytest.approx(1)
    assert score(REFERENCES, loud)["bleu4"] < 0.01


def test_perfect_sentences_have_perfect_overlap_and_swapped_ones_do_not():
    own = {name: captions[0] for name, captions in REFERENCES.items()}
    names = list(REFERENCES)
    swapped = {name: own[names[index - 1]] for index, name in enumerate(names)}
    perfect, wrong = score(REFERENCES, own), score(REFERENCES, swapped)
    assert [perfect[name] for name in ("bleu1", "bleu4", "rougeL")] == pytest.approx([1, 1, 1])
    assert all(wrong[name] < 0.5 * perfect[name] for name in perfect)


def test_a_clip_without_a_word_counts_as_wrong():
    own = {name: captions[0] for name, captions in REFERENCES.items()}
    some, none = score(REFERENCES, {**own, "walk": ""}), score(REFERENCES, dict.fromkeys(own, ""))
    assert some["rougeL"] == pytest.approx(2 / 3) and some["bleu1"] < 1
    assert none == pytest.approx(dict.fromkeys(none, 0), abs=1e-9)


def test_coco_starts_no_program(monkeypatch):
    def refuse(*arguments, **options):
        raise AssertionError("a program was started")

    monkeypatch.setattr(subprocess, "Popen", refuse)
    monkeypatch.setattr(os, "system", refuse)
    assert (
        score(REFERENCES, {name: captions[0] for name, captions in REFERENCES.items()})["cider"] > 0
    )


A, B = {"id": "a", "references": ["one"]}, {"id": "b", "references": ["two"]}


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ([A, "{"], "f.jsonl:2: not a line of JSON"),
        ([A, "[1]"], "f.jsonl:2: not an object"),
        ([A, "", {"references": ["x"]}], 'f.jsonl:3: .*"id"'),
        ([A, B, A], "f.jsonl:3: a: the same id as in line 1"),
        ([A, {"id": "b"}], "f.jsonl:2: give one caption"),
        ([A, {"id": "b", "references": []}], "f.jsonl:2: give one caption"),
        ([A, {"id": "b", "references": ["x", " "]}], "f.jsonl:2: .*no sentence"),
        ([""], "f.jsonl: an empty file"),
    ],
)
def test_bad_references_are_named_by_line(lines, said, tmp_path):
    with pytest.raises(UserError, match=said) as caught:
        read_references(write_lines(tmp_path / "f.jsonl", lines))
    assert "\n" not in str(caught.value)


PA, PB = {"id": "a", "prediction": "one"}, {"id": "b", "prediction": ""}
TWO = {"id": "a", "predictions": {"ours": "one", "theirs": "two"}}
ONLY = {"id": "b", "predictions": {"theirs": "two"}}


@pytest.mark.parametrize(
    ("lines", "wanted", "said"),
    [
        ([PA], [], "f.jsonl: f: 1 of 2 clips have no prediction, first b"),
        ([TWO, ONLY], [], "f.jsonl: ours: 1 of 2 clips have no prediction, first b"),
        ([PA, PB, {"id": "c", "prediction": "x"}], [], "f.jsonl:3: c: no clip"),
        ([PB, PA, PB], [], "f.jsonl:3: b: the same id as in line 1"),
        ([PA, {"id": "b"}], [], "f.jsonl:2: f: the prediction is no sentence"),
        ([PA, {"id": "b", "prediction": ["x"]}], [], "f.jsonl:2: f: the prediction is no sentence"),
        ([PA, {"id": "b", "predictions": {}}], [], 'f.jsonl:2: give "prediction"'),
        ([PA, {"id": "b", "predictions": "x"}], [], 'f.jsonl:2: give "prediction"'),
        ([PA, "nothing"], [], "f.jsonl:2: not a line of JSON"),
        ([TWO, ONLY], ["yours"], "--system yours: no such system; there are ours, theirs"),
        ([{"id": "a", "predictions": {"ours": 1}}], [], "f.jsonl:1: ours: the prediction is no"),
        ([], [], "f.jsonl: an empty file"),
    ],
)
def test_bad_predictions_are_named_by_line(lines, wanted, said, tmp_path):
    path = write_lines(tmp_path / "f.jsonl", lines)
    with pytest.raises(UserError, match=said) as caught:
        read_systems([path], {"a": ["one"], "b": ["two"]}, wanted)
    assert "\n" not in str(caught.value)


def test_a_system_in_two_files_is_named_with_both(tmp_path):
    (tmp_path / "other").mkdir()
    paths = [write_lines(tmp_path / place / "f.jsonl", [PA, PB]) for place in (".", "other")]
    with pytest.raises(UserError, match=r"other/f.jsonl: the system f is in .*f.jsonl too"):
        read_systems(paths, {"a": ["one"], "b": ["two"]})


@pytest.mark.parametrize(
    ("tokens", "said"),
    [
        ([["a/DET"], None], 'f.jsonl:2: no "tokens", which other lines have'),
        ([["a/DET"], ["a/DET", "b/DET"]], "f.jsonl:2: 2 tokens for 1 captions"),
        ([["a/DET"], "a/DET"], "f.jsonl:2: give one text a caption"),
        ([["a/DET"], [1]], "f.jsonl:2: give one text a caption"),
    ],
)
def test_bad_tokens_are_named_by_line(tokens, said, tmp_path):
    lines = [{**line, "tokens": own} for line, own in zip((A, B), tokens, strict=True)]
    path = write_lines(tmp_path / "f.jsonl", lines)
    with pytest.raises(UserError, match=said):
        read_tokens(path, {"a": ["one"], "b": ["two"]})


def test_tokens_are_those_of_all_lines_or_none(tmp_path):
    references = {"a": ["one"], "b": ["two"]}
    assert read_tokens(write_lines(tmp_path / "f.jsonl", [A, B]), references) is None
    lines = [{**A, "tokens": ["one/NUM"]}, {**B, "tokens": ["two/NUM"]}]
    found = read_tokens(write_lines(tmp_path / "f.jsonl", lines), references)
    assert found == {"a": ["one/NUM"], "b": ["two/NUM"]}


def test_files_that_cannot_be_read_are_named(tmp_path):
    (tmp_path / "latin.jsonl").write_bytes(b'{"id": "a", "references": ["x"]}\n{"id": "\xe9"}\n')
    for name, said in (
        ("latin.jsonl", "latin.jsonl:2: not UTF-8"),
        ("none.jsonl", "none.jsonl: can't be read"),
    ):
        with pytest.raises(UserError, match=said):
            read_references(tmp_path / name)


def test_a_system_is_chosen_and_unusual_lines_are_read(tmp_path):
    path = tmp_path / "f.jsonl"
    path.write_bytes(
        '\ufeff{"id": "a", "predictions": {"ours": "one\u2028two", "theirs": "2"}}\r\n\r\n'.encode()
    )
    found = read_systems([path], {"a": ["x"]}, ["ours"])
    assert {name: one.sentences for name, one in found.items()} == {"ours": {"a": "one\u2028two"}}
    assert list(read_systems([path], {"a": ["x"]})) == ["ours", "theirs"]


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (["--protocol", "cooked"], "cooked: no such caption protocol; valid: raw, normalised"),
        (["captions=bleurt"], "valid: coco, nlg_metricverse"),
        (
            ["captions=nlg_metricverse", "captions.back_end.metrics=[meteor]"],
            "meteor: no such metric; valid: bleu1",
        ),
        (
            ["captions=nlg_metricverse", "captions.back_end.bleu_script=no.py"],
            "no.py: no such file",
        ),
    ],
)
def test_bad_choices_are_one_line(more, said, tmp_path, capsys):
    references = write_lines(tmp_path / "r.jsonl", [A])
    predictions = write_lines(tmp_path / "p.jsonl", [PA])
    words = [
        "score",
        "captions",
        "--references",
        str(references),
        "--predictions",
        str(predictions),
    ]
    assert main([*words, *more]) == 2
    shown = capsys.readouterr()
    assert (
        said in shown.err
        and shown.err.startswith("motiongpt score: ")
        and shown.err.count("\n") == 1
    )
    assert not shown.out


@pytest.mark.parametrize("others", [[], [A]])
def test_references_of_which_a_protocol_leaves_no_word_are_one_line(others, tmp_path, capsys):
    """Even where other clips have words: nothing can be compared with nothing."""
    odd = {"id": "odd", "references": ["...", "?!"]}
    references = write_lines(tmp_path / "r.jsonl", [odd, *others])
    sentences = [{"id": one["id"], "prediction": "a man walks"} for one in (odd, *others)]
    predictions = write_lines(tmp_path / "p.jsonl", sentences)
    words = ["score", "captions", "--references", references, "--predictions", predictions]
    assert main([*map(str, words), "--protocol", "normalised"]) == 2
    said = capsys.readouterr().err
    assert "odd: the protocol normalised leaves no word" in said and said.count("\n") == 1
    assert main([*map(str, words), "--protocol", "raw"]) == 0


def test_the_protocol_of_the_command_is_the_one_reported(tmp_path, capsys):
    references = write_lines(
        tmp_path / "r.jsonl", [{"id": "a", "references": ["A man walks on, slowly."]}]
    )
    predictions = write_lines(
        tmp_path / "p.jsonl", [{"id": "a", "prediction": "a man walks on slowly"}]
    )
    words = [
        "score",
        "captions",
        "--references",
        str(references),
        "--predictions",
        str(predictions),
    ]
    found = {}
    for more in (["--protocol", "normalised"], ["captions.references=normalised"], []):
        assert main([*words, *more]) == 0
        result = json.loads(capsys.readouterr().out)
        found.setdefault(result["protocol"], []).append(result["metrics"]["bleu1"])
    assert found["normalised"] == pytest.approx([1, 1]) and found["raw"] == pytest.approx([0.4])
