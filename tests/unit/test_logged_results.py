"""What an evaluation tells loggers: flat numbers with intervals, and tables of sentences."""

import numpy as np
from lightning.pytorch.loggers import Logger

from evaluation.metrics.base import Number
from evaluation.replications.results import MODEL, REAL, Result
from evaluation.reports.logged import log_captions, log_results
from evaluation.reports.logged_motions import FILMS, log_motions
from motiongpt.motion.skeleton import HUMANML3D
from tests.unit.bodies.stand_ins import made_up_clip
from tests.unit.cases import make_case


class Kept(Logger):
    name = version = ""
    shows = True

    def __init__(self):
        self.rows, self.tables, self.files = [], [], []

    def log_metrics(self, metrics, step=None):
        self.rows.append((step, metrics))

    def log_hyperparams(self, params, *args, **kwargs):
        pass

    def log_files(self, name, files, step):
        self.files.append((name, files, step))

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


def test_a_few_motions_are_films_beside_the_real_ones_and_scenes(tmp_path):
    walk = made_up_clip(5)
    named = [make_case(walk, name=f"a/{number}", captions=("walks",)) for number in range(9)]
    empty = make_case(walk, walk[:0], name="none")
    given = np.arange(5) < 2
    bridge = make_case(walk, given=given, name="b")
    shown = {
        "text_to_motion": {MODEL: [*named, empty], REAL: [*named, empty]},
        "inbetween": {MODEL: [bridge], REAL: [bridge]},
        "motion_to_text": {MODEL: [make_case(walk, walk[:0], text="walks")], REAL: [bridge]},
    }
    kept = Kept()
    log_motions([kept], tmp_path, shown, HUMANML3D, 20.0)
    names = [name for name, _, _ in kept.files]
    assert names == ["text_to_motion/motions", "text_to_motion/scenes", "inbetween/motions", "inbetween/scenes"]  # fmt: skip
    films, scenes = kept.files[0][1], kept.files[1][1]
    assert len(films) == FILMS and len(scenes) == FILMS
    assert films[0].caption == "walks" and films[0].path.suffix == ".mp4"
    assert all(one.path.stat().st_size > 500 for one in [*films, *scenes])
    assert scenes[0].path.read_bytes().startswith(b"glTF")
    assert len({one.path for one in films}) == FILMS


def test_no_film_is_made_for_who_shows_none(tmp_path):
    kept = Kept()
    kept.shows = False
    walk = make_case(made_up_clip(3))
    log_motions(
        [kept], tmp_path, {"text_to_motion": {MODEL: [walk], REAL: [walk]}}, HUMANML3D, 20.0
    )
    assert not list(tmp_path.iterdir()) and not kept.files
