"""What an evaluation tells loggers: flat numbers with intervals, and tables of sentences."""

import numpy as np
from lightning.pytorch.loggers import Logger

from evaluation.metrics.base import Number
from evaluation.replications.results import MODEL, REAL, Result
from evaluation.reports.logged import log_captions, log_results
from tests.unit.cases import make_case


class Kept(Logger):
    name = version = ""

    def __init__(self):
        self.rows, self.tables = [], []

    def log_metrics(self, metrics, step=None):
        self.rows.append((step, metrics))

    def log_hyperparams(self, params, *args, **kwargs):
        pass

    def log_files(self, name, files, step):
        raise AssertionError

    def log_table(self, name, columns, rows):
        self.tables.append((name, columns, rows))


def test_the_methods_numbers_are_flat_and_have_intervals():
    values = {(MODEL, "fid"): [1.0, 2.0, 3.0], (REAL, "fid"): [0.0], (MODEL, "bleu4"): [0.5]}
    results = [
        Result.of("text_to_motion", row, metric, those, Number(), 9, "none")
        for (row, metric), those in values.items()
    ]
    kept = Kept()
    log_results([kept], results)
    ((step, told),) = kept.rows
    assert step is None
    assert told == {
        "text_to_motion/fid": 2.0,
        "text_to_motion/fid_interval": results[0].interval,
        "text_to_motion/bleu4": 0.5,
    }


def test_sentences_stand_beside_what_people_wrote():
    still = np.zeros((2, 22, 3))
    same = make_case(still, text="a person walks", captions=("a person walks", "someone goes"))
    other = make_case(still, text="a dog", captions=("a person walks",), name="second")
    wordless = make_case(still, captions=("a person walks",))
    kept = Kept()
    log_captions([kept], {"motion_to_text": {MODEL: [same, other]}, "prediction": {MODEL: [wordless]}})  # fmt: skip
    ((name, columns, rows),) = kept.tables
    assert name == "motion_to_text/sentences" and columns[0] == "clip"
    assert rows[0] == ["clip", "a person walks\nsomeone goes", "a person walks", 1.0]
    assert rows[1][0] == "second" and 0 < rows[1][3] < 0.6
