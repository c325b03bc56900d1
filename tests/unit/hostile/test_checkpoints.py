"""Checkpoints of strangers: every weight is looked at before it becomes a model's."""

import pytest

from tests.unit.hostile.arrays import claims, trapped
from tests.unit.hostile.bombs import zip_of_zeros
from tests.unit.hostile.checkpoints import BYTES, EDGE, GOOD, OLD, PLACES, WEIGHTS
from tests.unit.hostile.harness import check_refused, run, run_apart
from tests.unit.original_checkpoints import statistics

pytestmark = pytest.mark.timeout(60)


def words(tmp_path, file):
    return [
        "import-checkpoint", str(file), str(tmp_path / "folder"),
        "--statistics", str(statistics(tmp_path / "meta")),
    ]  # fmt: skip


def refused(tmp_path, path, *says):
    check_refused(run(words(tmp_path, path)), [path.name, *says])
    assert not (tmp_path / "folder").exists() and not (tmp_path / "executed").exists()
    assert not list(tmp_path.glob(".folder*"))


@pytest.mark.parametrize("content", [GOOD, OLD], ids=["new", "old"])
def test_a_sound_checkpoint_is_imported(content, tmp_path):
    (tmp_path / "sound.tar").write_bytes(content)
    assert run(words(tmp_path, tmp_path / "sound.tar")).status == 0


@pytest.mark.parametrize("name", WEIGHTS)
def test_weights_that_are_none_are_refused(name, tmp_path):
    path = tmp_path / f"{name}.tar"
    path.write_bytes(WEIGHTS[name]())
    refused(tmp_path, path)


@pytest.mark.parametrize(
    "name", ["nan", "infinite", "int8", "complex64", "sparse", "stride_0", "empty_and_huge"]
)
def test_the_weight_is_named(name, tmp_path):
    path = tmp_path / f"{name}.tar"
    path.write_bytes(WEIGHTS[name]())
    where = "quantizer.codebook" if name == "empty_and_huge" else EDGE
    if name in ("nan", "infinite", "int8"):
        where = "encoder.input_convolution.weight"
    refused(tmp_path, path, where)


@pytest.mark.parametrize("name", BYTES)
def test_damaged_checkpoints_are_refused(name, tmp_path):
    path = tmp_path / f"{name}.tar"
    path.write_bytes(BYTES[name](tmp_path))
    refused(tmp_path, path)


@pytest.mark.parametrize("name", PLACES)
def test_what_is_no_file_is_refused(name, tmp_path):
    path = tmp_path / f"{name}.tar"
    PLACES[name](path)
    refused(tmp_path, path)


@pytest.mark.parametrize("seed", range(8))
def test_flipped_bits_are_noticed(seed, tmp_path):
    position = len(GOOD) * (seed + 1) // 10
    path = tmp_path / "flipped.tar"
    path.write_bytes(GOOD[:position] + bytes([GOOD[position] ^ 4]) + GOOD[position + 1 :])
    ran = run(words(tmp_path, path))
    if ran.status:
        check_refused(ran, [path.name])
    else:  # in the bytes between the members: no weight has changed
        made = (tmp_path / "folder/codec/tokenizer.safetensors").read_bytes()
        path.write_bytes(GOOD)
        assert run([*words(tmp_path, path), "--force"]).status == 0
        assert (tmp_path / "folder/codec/tokenizer.safetensors").read_bytes() == made


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(lambda root: claims((10**12,)), id="huge"),
        pytest.param(lambda root: claims((263,)), id="cut"),
        pytest.param(trapped, id="code"),
        pytest.param(lambda root: b"", id="empty"),
    ],
)
def test_bad_statistics_are_refused(content, tmp_path):
    path = tmp_path / "sound.tar"
    path.write_bytes(GOOD)
    asked = words(tmp_path, path)
    (tmp_path / "meta" / "std.npy").write_bytes(content(tmp_path))
    check_refused(run(asked), ["std.npy"])
    assert not (tmp_path / "executed").exists()


@pytest.mark.slow
@pytest.mark.timeout(300)  # to make it takes longer than to refuse it
@pytest.mark.parametrize("member", ["archive/data.pkl", "archive/data/0"])
def test_a_bomb_is_refused_before_it_is_read(member, tmp_path):
    path = tmp_path / "bomb.tar"
    path.write_bytes(zip_of_zeros(member, 40, before={"archive/version": b"3\n"}))
    check_refused(run_apart(words(tmp_path, path), tmp_path), [path.name])
