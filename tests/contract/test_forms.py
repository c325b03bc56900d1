"""Every form of motion files is found, and is tested by its writer in tests/forms: see there."""

import importlib
from dataclasses import fields, replace

import numpy as np
import pytest
import torch

from evaluation.external.choice import chosen_form, known_forms
from evaluation.external.forms.base import Options, Target
from evaluation.external.reading import read_all, understand
from evaluation.requests.predictions import About, PredictionSet
from motiongpt.errors import UserError
from motiongpt.motion.recover import features_to_joints
from motiongpt.motion.skeleton import HUMANML3D
from tests.forms.motions import Bench

FORMS = sorted(known_forms())


@pytest.fixture(scope="module")
def bench(tmp_path_factory):
    return Bench(tmp_path_factory.mktemp("bench"), count=8, frames=44)


def written(name, folder, bench):
    """Files of a form, and the options that reading them takes."""
    writer = importlib.import_module(f"tests.forms.{name}")
    motions = folder / "motions"
    motions.mkdir()
    for clip in bench.names:
        writer.write(motions, clip, bench)
    made = {
        option: value(folder / option) if callable(value) else value
        for option, value in writer.OPTIONS.items()
    }
    return motions, Options(**made), writer


def about_of(bench):
    names = list(bench.store.names)
    frames = [int(bench.store.lengths[names.index(clip)]) for clip in bench.names]
    return About(
        task="text_to_motion",
        kind="motion",
        fingerprint=bench.store.fingerprint,
        clips=bench.names,
        frames=frames,
        given=[(0, 0)] * len(frames),
        seeds=[0, 1],
    )


@pytest.mark.parametrize("name", FORMS)
def test_a_form_says_what_it_is(name):
    form = known_forms()[name]
    assert form.ending.startswith(".") and form.ending == form.ending.lower()
    assert form.expects and "\n" not in form.expects
    assert form.takes <= {one.name for one in fields(Options)}


@pytest.mark.parametrize("name", FORMS)
def test_what_is_written_in_a_form_is_read_as_what_it_was(name, bench, tmp_path):
    motions, options, writer = written(name, tmp_path, bench)
    external = understand(motions, about_of(bench), bench.store, options)
    assert external.said["form"] == name and external.said["clips"] == "8 of 8 asked about"
    digest = read_all(external, tmp_path / "set")
    outputs = PredictionSet.open(tmp_path / "set").read(0, bench.store.n_features)
    for clip, rows in zip(bench.names, outputs.motions, strict=True):
        real = bench.joints(clip)
        found = features_to_joints(torch.from_numpy(np.array(rows)), HUMANML3D).numpy()
        assert len(found) == len(real)
        off = 1000 * np.linalg.norm(found - real, axis=-1).max()
        assert off <= writer.MILLIMETRES, f"{clip}: {off:.3f} mm off"
    again = understand(motions, about_of(bench), bench.store, options)
    assert read_all(again, tmp_path / "again") == digest


@pytest.mark.parametrize("name", FORMS)
def test_options_that_mean_nothing_to_a_form_are_refused(name, bench):
    form, target = known_forms()[name], Target.of(bench.store)
    values = {"fps": 20.0, "metres_per_unit": 1.0, "up_axis": "Y", "normalised": False,
              "statistics": "here", "mapping": "cmu", "body_models": "here"}  # fmt: skip
    for option in {one.name for one in fields(Options)} - form.takes:
        with pytest.raises(UserError, match=f"--{option.replace('_', '-')} says nothing") as caught:
            form(replace(Options(), **{option: values[option]}), target)
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", FORMS)
def test_a_damaged_file_is_named_in_one_line(name, bench, tmp_path):
    motions, options, _ = written(name, tmp_path, bench)
    path = sorted(motions.iterdir())[3]
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(UserError) as caught:
        read_all(understand(motions, about_of(bench), bench.store, options), tmp_path / "set")
    said = str(caught.value)
    assert path.stem in said and "\n" not in said


def test_a_form_that_there_is_not_is_answered_with_those_that_there_are(bench, tmp_path):
    target = Target.of(bench.store)
    with pytest.raises(UserError, match=f"--form dance: no such form; valid: {', '.join(FORMS)}"):
        chosen_form([tmp_path / "a.npy"], "dance", Options(), target)
