"""A small result page for tests."""

import json
import re

import numpy as np

from evaluation.metrics.numbers import Number
from evaluation.replications.clip_distances import clip_distances
from evaluation.replications.comparison import HOLD
from evaluation.replications.left_out import LeftOut
from evaluation.replications.results import MODEL, REAL, Result
from evaluation.reports.chosen_clips import TaskOutputs
from evaluation.reports.report import Origin
from evaluation.reports.result_page.page import write_result_page
from motiongpt.motion.skeleton import HUMANML3D
from tests.unit.cases import make_case
from tests.unit.fake_source import rest_pose

SIGNATURE = "0123456789abcdef"
EVIL = "</script><script>window.ran = 1</script>"
ORIGIN = Origin(
    stage="evaluate",
    signature=SIGNATURE,
    method={"name": "mdm", "facts": {"steps": 50}},
    experiment={},
    data={"name": "synthetic", "fingerprint": "f" * 64, "split": "test", "clips": 12},
    protocol={"name": "ours", "scoring": {"pool": 32}},
    evaluator={"name": "tmr"},
    captions=None,
    seeds=[1, 2],
    git={"git_commit": "abc"},
    made={"overrides": ["method=mdm"]},
)


class Store:
    """Of a store only what the page asks."""

    name, fps, skeleton = "synthetic", 20.0, HUMANML3D


def cases(count=12, frames=8):
    """Clips whose output is the farther from the truth the higher their number."""
    given = np.arange(frames) < 2
    found = []
    for number in range(count):
        truth = np.repeat(rest_pose()[None], frames, 0)
        labels = (f"action{number % 3}",)
        named = {"name": f"clip{number}", "labels": labels, "captions": (f"says {EVIL}", "other")}
        found.append(make_case(truth, truth + 0.01 * number, given, **named))
    return found


def real_of(those):
    return [make_case(one.reference_joints, name=one.name, labels=one.labels) for one in those]


def outputs_of_two_tasks():
    """Predictions of twelve clips, and sentences about two."""
    made = cases()
    rows = {MODEL: made, REAL: real_of(made), HOLD: real_of(made)}
    said = [make_case(one.reference_joints, name=one.name, text="a sentence") for one in made[:2]]
    return [
        TaskOutputs("prediction", rows, clip_distances("continuation", made, [], None)),
        TaskOutputs("motion_to_text", {MODEL: said, REAL: real_of(said)}),
    ]


RESULTS = [
    Result.of("prediction", row, "ade", values, Number("m"), 12, "none")
    for row, values in ((HOLD, [0.5]), (MODEL, [0.25, 0.35]), (REAL, [0.0]))
] + [Result.of("prediction", MODEL, "fid", [0.1], Number(""), 12, "evaluator")]


def written(folder, outputs, pictures=3, origin=ORIGIN):
    left_out = [LeftOut("prediction", MODEL, "fid", "needs an evaluator")]
    folder.mkdir(parents=True)
    said = []
    path = write_result_page(
        folder, outputs, RESULTS, left_out, origin, Store(), pictures, said.append
    )
    text = path.read_text()
    (data,) = re.findall(r'id="data">(.*?)</script>', text, re.S)
    return text, json.loads(data), said
