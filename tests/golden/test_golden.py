"""Every case under ../shared/parity, and the proof that the check can fail.

What lies as it is in every clone, too, is checked by test_small.py.
"""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from tests.golden.__main__ import KNOWN, METHODS, PASSED_OVER, check_file, find_check, main
from tests.golden.report import ReadArrays, Report
from tests.golden.small_selection import WHOLE
from tests.shared import SHARED, parity, shared

PARITY = SHARED / "parity"
CASES = sorted(
    str(path.relative_to(PARITY))
    for folder in (*(PARITY / name for name in KNOWN), *(PARITY / METHODS).glob("*"))
    for path in folder.glob("*.*")
    if path.suffix not in PASSED_OVER and str(path.relative_to(PARITY)) not in WHOLE
)
CLIP = "feats/h3d_synthetic1.npz"
WHOLE_CLIP = "feats/h3d_012314_short.npz"  # in ../shared alone
# What the arrays of a clip's case may be off by, and a bit more than that.
SPOILT = {
    "uniform_skeleton": 2e-5,
    "features": 5e-5,
    "global_positions": 2e-5,
    "ric_positions": 5e-5,
    "l_velocity": 5e-5,
    "root_quat": 3e-4,
    "root_pos": 3e-4,
    "recover_from_ric": 3e-4,
    "recover_from_rot": 3e-4,
    "contact_margin": 5e-3,
    "joints": 1e-3,
}
SPOILT_OF_WHOLE = {"extract_features_of_global": 5e-5, "tgt_offsets": 1e-3}


@pytest.mark.parametrize("case", CASES or ["none"])
def test_case(case):
    path = shared("parity") / case
    check = find_check(path.parent.name)
    if check is None:
        pytest.skip(f"{path.parent.name}/ is not yet supported")
    report = Report()
    check_file(path, check, report, PARITY / "data")
    assert not report.failed, "\n".join(report.lines())


def copied(folder: Path, case: str = CLIP, without: str = "", **changes: np.ndarray) -> Path:
    """A folder with one case under another name, arrays replaced, added or one left out."""
    source = parity(case)
    target = folder / source.parent.name / "some_other_name.npz"
    target.parent.mkdir(parents=True)
    if (PARITY / "data").exists():
        shutil.copytree(PARITY / "data", folder / "data")
    with np.load(source, allow_pickle=False) as arrays:
        kept = {name: array for name, array in arrays.items() if name != without}
        np.savez(target, **{**kept, **changes})
    return folder


def array(name: str, case: str = CLIP) -> np.ndarray:
    with np.load(parity(case), allow_pickle=False) as arrays:
        return arrays[name].copy()


def test_unspoilt_copy_passes(tmp_path, capsys):
    assert main([str(copied(tmp_path))]) == 0
    output = capsys.readouterr().out
    assert "feats/some_other_name.npz" in output
    assert "0 misses, 0 not checked" in output


@pytest.mark.parametrize(
    ("case", "name", "by"),
    [(CLIP, *one) for one in SPOILT.items()]
    + [(WHOLE_CLIP, *one) for one in SPOILT_OF_WHOLE.items()],
)
def test_one_wrong_value_is_a_miss(case, name, by, tmp_path, capsys):
    changed = array(name, case)
    position = (changed.shape[0] // 2, *[1] * (changed.ndim - 1)) if changed.ndim else ()
    changed[position] += by
    assert main([str(copied(tmp_path, case, **{name: changed}))]) == 1
    assert "MISS" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("case", "name"), [(CLIP, "features"), (WHOLE_CLIP, "extract_features_of_global")]
)
def test_one_flipped_contact_is_a_miss(case, name, tmp_path, capsys):
    changed = array(name, case)
    changed[7, -2] = 1 - changed[7, -2]
    assert main([str(copied(tmp_path, case, **{name: changed}))]) == 1
    assert f"{name}, contacts: 1 of" in capsys.readouterr().out


def test_wrong_threshold_is_a_miss(tmp_path):
    assert main([str(copied(tmp_path, feet_thre=np.float32(0.0002)))]) == 1


@pytest.mark.parametrize("name", ["normalised", "denormalised", "feats2joints"])
def test_normalisation_is_compared(name, tmp_path):
    case = "feats/h3d_normalise.npz"
    changed = array(name, case)
    changed[100, 5] += 1e-3
    assert main([str(copied(tmp_path, case, **{name: changed}))]) == 1


def test_other_statistics_are_a_miss(tmp_path):
    folder = copied(tmp_path, "feats/h3d_normalise.npz")
    mean = folder / "data" / "MotionGPT_mean.npy"
    mean.chmod(0o644)
    np.save(mean, np.load(mean, allow_pickle=False) + 1e-2)
    assert main([str(folder)]) == 1


def test_absent_statistics_are_named(tmp_path, capsys):
    folder = copied(tmp_path, "feats/h3d_normalise.npz")
    shutil.rmtree(folder / "data")
    assert main([str(folder)]) == 1, "nothing was compared"
    output = capsys.readouterr().out
    assert "not checked: normalised: data/ holds no MotionGPT_mean.npy" in output
    assert "data/ is absent" in output


def test_array_that_nobody_reads_is_named(tmp_path, capsys):
    assert main([str(copied(tmp_path, wing_positions=np.zeros(3)))]) == 0
    assert "not checked: wing_positions" in capsys.readouterr().out


@pytest.mark.parametrize("case", [CLIP, WHOLE_CLIP])
def test_published_offsets_stand_in_for_absent_ones(case, tmp_path, capsys):
    assert main([str(copied(tmp_path, case, without="tgt_offsets"))]) == 0
    assert "0 misses, 0 not checked" in capsys.readouterr().out


def test_without_kit_offsets_what_needs_them_is_named(tmp_path, capsys):
    assert main([str(copied(tmp_path, "feats/kit_synthetic1.npz", without="tgt_offsets"))]) == 0
    output = capsys.readouterr().out
    for name in ("joints", "uniform_skeleton", "recover_from_rot"):
        assert f"not checked: {name}: " in output
    assert "recover_from_ric" not in output.split("not checked", 1)[1]


def test_absent_and_unknown_subfolders_are_named(tmp_path, capsys):
    folder = copied(tmp_path)
    (folder / "wings").mkdir()
    (folder / "wings" / "flap.json").write_text(json.dumps({}))
    assert main([str(folder)]) == 0
    output = capsys.readouterr().out
    assert "note: wings/ is not yet supported" in output
    assert "note: vq/ is absent" in output


def test_methods_are_found_in_every_layout(tmp_path, capsys):
    wanted = "ok    t2m_gpt/targets.npz"
    source = parity("methods/t2m_gpt/targets.npz")
    for place in ("methods/t2m_gpt", "t2m_gpt"):
        target = tmp_path / place.replace("/", "-") / place
        target.mkdir(parents=True)
        shutil.copy(source, target)
        (target / "README.md").write_text("passed over")
        (target.parent / "juggling").mkdir()
        layouts = {tmp_path / place.replace("/", "-"), target.parent, target}
        for folder in layouts:
            assert main([str(folder)]) == 0, folder
            output = capsys.readouterr().out
            assert wanted in output and "0 misses, 0 not checked" in output
            assert ("vq/ is absent" in output) == (folder / "methods").is_dir()
            assert ("juggling/ is not yet supported" in output) == (folder != target)


def test_broken_case_is_a_miss_and_the_rest_still_runs(tmp_path, capsys):
    folder = copied(tmp_path, CLIP, joints=array("joints")[:1])
    shutil.copy(parity(CLIP), folder / "feats" / "whole.npz")
    (folder / "feats" / "cut.npz").write_bytes(b"PK")
    assert main([str(folder)]) == 1
    output = capsys.readouterr().out
    assert "ok    feats/whole.npz" in output
    assert output.count("could not be computed") == 2


def test_no_folder_is_refused(tmp_path, capsys):
    assert main([str(tmp_path / "nowhere")]) == 2
    assert "nowhere" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        ([1.0, np.nan], [1.0, 2.0]),
        ([1.0, 2.0], [1.0, np.nan]),
        ([1.0], [1.0, 2.0]),
        ([np.inf], [1.0]),
    ],
)
def test_not_a_number_infinity_and_other_shapes_miss(found, expected):
    report = Report()
    report.compare("case", "name", np.array(found), np.array(expected), atol=1, rtol=1)
    assert report.failed


def test_exact_compares_values_and_shapes():
    report = Report()
    report.exact("case", "same", np.arange(3), np.arange(3))
    assert not report.failed
    report.exact("case", "broadcast", np.zeros((1, 3)), np.zeros(3))
    report.exact("case", "text", "a", "b")
    assert len(report.cases["case"].misses) == 2


def test_asking_for_a_name_is_not_reading():
    arrays = ReadArrays({"a": np.zeros(1), "b": np.zeros(1)})
    assert "a" in arrays and list(arrays) == ["a", "b"]
    assert arrays["b"].shape == (1,)
    assert arrays.unread() == ["a"]
