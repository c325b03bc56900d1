"""nlg-metricverse, kept from the network: imported, scoring, and absent."""

import json
import os
import subprocess
import sys

import pytest

from evaluation.captions.coco import CocoBackEnd
from evaluation.captions.protocol import PROTOCOLS
from evaluation.captions.score import score_captions
from tests.shared import ROOT
from tests.unit.test_caption_metrics import REFERENCES

OFFLINE = """
import json, os, socket, sys

looked_up = []

def refuse(*arguments, **options):
    looked_up.append(str(arguments[0]))
    raise OSError("no network here")

socket.getaddrinfo = socket.create_connection = socket.socket.connect = refuse
from evaluation.captions.nlg_metricverse import NlgMetricverseBackEnd, load_package
from motiongpt.errors import UserError

package = load_package()
references, predictions, script = json.loads(sys.argv[1])
answer = {"version": package.__version__, "variable": os.environ.get("MOVERSCORE_MODEL")}
back_end = NlgMetricverseBackEnd(metrics=["rougeL", "cider"])
answer["scores"] = [back_end.score(references, predictions) for _ in range(2)]
answer["one clip"] = back_end.score(references[:1], [references[0][0]])
answer["local"] = NlgMetricverseBackEnd(["bleu4", "bleu1"], script).score(references, predictions)
answer["looked up"] = list(looked_up)
try:
    NlgMetricverseBackEnd().score(references, predictions)
except UserError as error:
    answer["bleu"] = str(error)
load_package.cache_clear()
sys.modules["nlgmetricverse"] = None  # as if it were not installed
try:
    load_package()
except UserError as error:
    answer["absent"] = str(error)
print(json.dumps(answer))
"""
# Stands for the script that the package downloads: it shows what it is given.
SCRIPT = """
def compute_bleu(reference_corpus, translation_corpus, max_order=4, smooth=False):
    assert all(len(captions) == 3 for captions in reference_corpus)
    words = [word for sentence in translation_corpus for word in sentence]
    assert all(word == word.lower() and word.isalpha() for word in words)
    return (max_order / 10, [], 1.0, 1.0, len(words), len(words))
"""


@pytest.fixture(scope="module")
def offline(tmp_path_factory):
    folder = tmp_path_factory.mktemp("offline")
    (folder / "bleu.py").write_text(SCRIPT)
    references = [
        PROTOCOLS["raw"].reference_sentences(captions) for captions in REFERENCES.values()
    ]
    predictions = [captions[-1] for captions in REFERENCES.values()]
    given = json.dumps([references, predictions, str(folder / "bleu.py")])
    environment = {
        **os.environ,
        "HF_HOME": str(folder / "cache"),
        "MOVERSCORE_MODEL": "a/model-of-the-hub",
    }
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", OFFLINE, given],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    own = score_captions(
        REFERENCES, dict(zip(REFERENCES, predictions, strict=True)), PROTOCOLS["raw"], CocoBackEnd()
    )
    return json.loads(done.stdout.splitlines()[-1]), own["metrics"]


def test_nlg_metricverse_is_imported_and_used_without_a_network(offline):
    found, _ = offline
    assert found["version"] == "0.9.9" and found["looked up"] == []
    assert found["variable"] == "a/model-of-the-hub"


def test_nlg_metricverse_scores_offline_and_twice_the_same(offline):
    found, coco = offline
    first, second = found["scores"]
    assert first == second and first["cider"] == pytest.approx(coco["cider"], abs=1e-9)
    assert 0.9 < first["rougeL"] <= 1 and found["one clip"]["rougeL"] == pytest.approx(1)


def test_nlg_metricverse_takes_bleu_from_a_local_script(offline):
    assert offline[0]["local"] == {"bleu4": 0.4, "bleu1": 0.1}


def test_bleu_that_cannot_be_downloaded_is_one_line_with_a_way_out(offline):
    said = offline[0]["bleu"]
    assert "captions.back_end.metrics=[rougeL,cider]" in said and "bleu_script=FILE" in said
    assert "\n" not in said


def test_an_absent_package_is_one_line_with_a_way_out(offline):
    said = offline[0]["absent"]
    assert "can't be imported" in said and "captions=coco" in said and "\n" not in said
