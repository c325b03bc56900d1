"""The parity cases that every clone holds: all of them pass, nothing of them is left unchecked."""

import contextlib
import io
import json
import pkgutil
import re
from pathlib import Path

import numpy as np
import pytest

import tests.golden
from tests.golden.__main__ import KNOWN, METHODS, PASSED_OVER, find_check, main
from tests.golden.small_selection import SELECTED, selected
from tests.shared import SMALL, shared

CASES = sorted(
    str(path.relative_to(SMALL))
    for path in SMALL.rglob("*")
    if path.is_file() and path.suffix not in PASSED_OVER
)
MOST_BYTES = 3 << 20


@pytest.fixture(scope="module")
def said():
    """Exit status and lines of the command as anybody types it."""
    with contextlib.redirect_stdout(io.StringIO()) as out:
        status = main([str(SMALL)])
    return status, out.getvalue().splitlines()


@pytest.mark.parametrize("name", CASES)
def test_a_case_passes_and_nothing_of_it_is_unchecked(name, said):
    _, lines = said
    case = "/".join(Path(name).parts[-2:])
    (at,) = [i for i, line in enumerate(lines) if re.match(rf"\S+ +{re.escape(case)}: ", line)]
    below = lines[at + 1 :]
    complaints = below[: next(i for i, line in enumerate(below) if not line.startswith("   "))]
    assert lines[at].startswith("ok ") and not complaints, "\n".join([lines[at], *complaints])


def test_the_command_passes_in_every_clone_and_leaves_nothing_unchecked(said):
    status, lines = said
    assert status == 0
    assert re.fullmatch(
        rf"{len(CASES)} cases, \d{{4}} comparisons, 0 misses, 0 not checked", lines[-1]
    )
    assert [line for line in lines if line.startswith("note")] == ["note: data/ is absent"]


def test_everything_that_has_a_check_has_a_small_case():
    names = {module.name for module in pkgutil.iter_modules(tests.golden.__path__)}
    checked = {name for name in names if find_check(name) is not None}
    assert set(KNOWN) <= checked
    assert checked == {Path(name).parent.name for name in CASES}


def test_what_was_selected_is_there_and_nothing_else():
    assert sorted(SELECTED) == CASES
    assert {name for name in CASES if len(Path(name).parts) != 2} == {
        name for name in CASES if name.startswith(f"{METHODS}/")
    }


def test_the_folder_stays_small_and_its_readme_names_every_file():
    assert sum((SMALL / name).stat().st_size for name in CASES) < MOST_BYTES
    text = (SMALL / "README.md").read_text()
    assert not [name for name in CASES if f"`{name.removeprefix('methods/')}`" not in text]


def test_what_was_kept_is_the_whole_set_bit_for_bit(tmp_path):
    parity = shared("parity")
    for name in CASES:
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(selected(parity, name))
        if file.suffix == ".json":
            assert json.loads((SMALL / name).read_text()) == json.loads(file.read_text()), name
            continue
        ours, theirs = (np.load(one, allow_pickle=False) for one in (SMALL / name, file))
        with ours, theirs:
            assert ours.files == theirs.files, name
            for key in ours.files:
                assert ours[key].dtype == theirs[key].dtype
                np.testing.assert_array_equal(ours[key], theirs[key], err_msg=f"{name}: {key}")
