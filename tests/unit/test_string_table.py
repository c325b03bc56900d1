import numpy as np
import pytest

from motiongpt.data.string_table import StringLists, StringTable


def test_table_gives_back_its_strings(tmp_path):
    strings = ["", "walk", "übung – 歩く", "", "a\nb"]
    StringTable.write(tmp_path, "t", strings)
    table = StringTable.open(tmp_path, "t")
    assert list(table) == strings
    assert table[-1] == "a\nb"
    assert table[1:3] == strings[1:3]
    with pytest.raises(IndexError):
        table[5]


def test_lists_keep_empty_lists_apart_from_empty_strings(tmp_path):
    lists = [("a", "b"), (), ("",), ("c",)]
    StringLists.write(tmp_path, "l", lists)
    assert list(StringLists.open(tmp_path, "l")) == lists


def test_table_without_strings(tmp_path):
    StringLists.write(tmp_path, "l", [(), ()])
    assert list(StringLists.open(tmp_path, "l")) == [(), ()]


def test_offsets_that_do_not_fit_are_refused(tmp_path):
    StringTable.write(tmp_path, "t", ["abc"])
    np.save(tmp_path / "t.offsets.npy", np.array([0, 5]))
    with pytest.raises(ValueError, match="do not fit"):
        StringTable.open(tmp_path, "t")
