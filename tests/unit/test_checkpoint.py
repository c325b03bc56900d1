"""Checkpoints of strangers: read whole where they are sound, without running anything in them."""

import builtins
import collections
import enum
import functools
import io
import os
import pathlib
import pickle
import subprocess
import tarfile
import zipfile

import lightning.pytorch as pl
import numpy as np
import pytest
import torch
from lightning.pytorch.callbacks import EarlyStopping, ModelCheckpoint
from omegaconf import OmegaConf

from motiongpt.errors import UserError
from motiongpt.published.checkpoint import StandIn, read_checkpoint

STATE = {"vae.weight": torch.arange(6.0).reshape(2, 3), "lm.bias": torch.ones(4, dtype=torch.half)}


class Colour(enum.Enum):
    RED = 1


class Remembers:
    """Leaves a trace when it is unpickled."""

    trace = ""

    def __init__(self, value=None):
        self.value = value

    def __setstate__(self, state):
        pathlib.Path(state["trace"]).write_text("executed")


class Reduces:
    """Asks the reader to call a function, as a malicious file does."""

    def __init__(self, function, *arguments):
        self.call = function, arguments

    def __reduce__(self):
        return self.call


class Settings(dict):
    """A dictionary with attributes, as configuration packages have them."""


def lightning_checkpoint():
    """What Lightning writes beside the weights."""
    counts = collections.defaultdict(list)
    counts["seen"].append(3)
    return {
        "epoch": 3,
        "pytorch-lightning_version": "2.0.9",
        "state_dict": collections.OrderedDict(STATE),
        "hyper_parameters": {"cfg": OmegaConf.create({"model": {"width": 512, "list": [1, 2]}})},
        "hparams_type": OmegaConf,
        "callbacks": {
            "ModelCheckpoint": {
                "best_model_score": np.float64(0.5),
                "dtype": np.dtype("float32"),
                "array": np.arange(3),
                "dirpath": pathlib.PurePosixPath("/experiments"),
                "queue": collections.deque([1, 2], maxlen=4),
                "counts": counts,
                "kind": Colour.RED,
                "kinds": {Colour.RED: 1},
                "set": {1, 2},
            }
        },
        "optimizer_states": [{"state": {0: {"step": torch.tensor(2.0)}}, "lr": 1e-4}],
        "lr_schedulers": [functools.partial(max, 1)],
    }


def saved(path, content, **options):
    torch.save(content, path, **options)
    return path


def refused(path, *words):
    with pytest.raises(UserError) as caught:
        read_checkpoint(path)
    said = str(caught.value)
    assert "\n" not in said and str(path) in said
    for word in words:
        assert word in said, said


def test_weights_of_a_lightning_checkpoint_are_read_the_rest_stood_in_for(tmp_path):
    found = read_checkpoint(saved(tmp_path / "motiongpt.tar", lightning_checkpoint()))
    assert found["state_dict"].keys() == STATE.keys()
    for name, tensor in STATE.items():
        assert torch.equal(found["state_dict"][name], tensor)
        assert found["state_dict"][name].dtype == tensor.dtype
    assert found["epoch"] == 3
    assert isinstance(found["hyper_parameters"]["cfg"], StandIn)
    state = found["callbacks"]["ModelCheckpoint"]
    assert isinstance(state["best_model_score"], StandIn)
    assert state["queue"] == [1, 2] and state["counts"]["seen"] == [3]
    assert torch.equal(found["optimizer_states"][0]["state"][0]["step"], torch.tensor(2.0))


class Model(pl.LightningModule):
    """A model that keeps its whole configuration, as MotionGPT does."""

    def __init__(self, cfg):
        super().__init__()
        self.save_hyperparameters()
        self.layer = torch.nn.Linear(2, 1)

    def training_step(self, batch, _):
        loss = self.layer(batch).square().mean()
        self.log("loss", loss)
        return loss

    def configure_optimizers(self):
        optimizer = torch.optim.AdamW(self.parameters())
        return [optimizer], [torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, 10)]


def test_a_file_that_lightning_wrote_is_read(tmp_path):
    kept = ModelCheckpoint(tmp_path, filename="model", monitor="loss", every_n_train_steps=1)
    trainer = pl.Trainer(
        max_steps=2, accelerator="cpu", logger=False, callbacks=[kept, EarlyStopping("loss")],
        enable_progress_bar=False, enable_model_summary=False,
    )  # fmt: skip
    model = Model(OmegaConf.create({"width": "${oc.env:HOME}", "parts": [1, {"a": None}]}))
    trainer.fit(model, torch.utils.data.DataLoader(torch.ones(4, 2), batch_size=2))
    found = read_checkpoint(kept.best_model_path)
    assert found["state_dict"].keys() == {"layer.weight", "layer.bias"}
    assert isinstance(found["hyper_parameters"]["cfg"], StandIn)
    assert len(found["callbacks"]) == 2 and found["optimizer_states"][0]["state"]


def test_reading_leaves_nothing_allowed_behind(tmp_path):
    before = set(torch.serialization.get_safe_globals())
    read_checkpoint(saved(tmp_path / "file.ckpt", lightning_checkpoint()))
    assert set(torch.serialization.get_safe_globals()) == before


@pytest.mark.parametrize("legacy", [False, True], ids=["zip", "legacy"])
@pytest.mark.parametrize(
    "attack",
    [
        lambda trace: Reduces(os.system, f"touch {trace}"),
        lambda trace: Reduces(builtins.eval, f"open({str(trace)!r}, 'w').close()"),
        lambda trace: Reduces(builtins.exec, f"open({str(trace)!r}, 'w').close()"),
        lambda trace: Reduces(subprocess.run, ["touch", str(trace)]),
        lambda trace: Reduces(open, str(trace), "w"),
        lambda trace: Reduces(getattr, Reduces(__import__, "os"), "system"),
        lambda trace: Reduces(functools.partial, os.mkdir, str(trace)),
    ],
    ids=["system", "eval", "exec", "run", "open", "getattr", "partial"],
)
def test_no_call_of_a_file_is_made(attack, legacy, tmp_path):
    trace = tmp_path / "trace"
    path = tmp_path / "evil.ckpt"
    content = {"state_dict": STATE, "callbacks": attack(trace)}
    saved(path, content, _use_new_zipfile_serialization=not legacy)
    try:
        found = read_checkpoint(path)
    except UserError as error:
        assert "executing" in str(error) and "save its state_dict" in str(error)
    else:
        assert isinstance(found["callbacks"], StandIn)
        assert torch.equal(found["state_dict"]["vae.weight"], STATE["vae.weight"])
    assert not trace.exists()
    torch.load(path, weights_only=False)  # the trap does work where a reader isn't careful
    assert trace.exists() or attack(trace).call[0] in (getattr, functools.partial)


def test_no_object_of_a_file_takes_its_state(tmp_path):
    trace = tmp_path / "trace"
    evil = Remembers()
    evil.trace = str(trace)
    path = saved(tmp_path / "evil.ckpt", {"state_dict": STATE, "further": evil})
    assert isinstance(read_checkpoint(path)["further"], StandIn)
    assert not trace.exists()
    torch.load(path, weights_only=False)
    assert trace.exists()


def test_what_a_stand_in_cannot_hold_is_refused_with_advice(tmp_path):
    path = saved(tmp_path / "file.ckpt", {"state_dict": STATE, "cfg": Settings(width=3)})
    refused(path, "executing", "save its state_dict alone")


def test_the_format_before_1_6_is_read_where_it_holds_tensors(tmp_path):
    path = saved(tmp_path / "old.pth", {"net": STATE}, _use_new_zipfile_serialization=False)
    assert torch.equal(read_checkpoint(path)["net"]["lm.bias"], STATE["lm.bias"])
    path.write_bytes(path.read_bytes()[:-7])
    refused(path, "damaged")


@pytest.mark.parametrize("share", [0.2, 0.7, 0.99])
def test_a_download_that_ended_early_is_named(share, tmp_path):
    path = saved(tmp_path / "part.tar", {"state_dict": {"weight": torch.randn(100, 100)}})
    content = path.read_bytes()
    kept = int(share * len(content))
    path.write_bytes(content[:kept])
    refused(path, "not whole", f"{kept:,} bytes", "download it again")


def test_a_changed_byte_is_found(tmp_path):
    path = saved(tmp_path / "file.tar", {"state_dict": {"weight": torch.zeros(1000)}})
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    refused(path, "damaged", "checksum")


def test_what_is_no_checkpoint_is_named(tmp_path):
    path = tmp_path / "file.tar"
    for content, words in (
        (b"", ["empty"]),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:ab\n", ["git lfs pull"]),
        (b"\n<!DOCTYPE html><title>Quota exceeded</title>", ["web page"]),
        (b"just text", ["torch.save", "b'just tex'"]),
        (pickle.dumps({"a": 1}), ["can't be read"]),
        (pickle.dumps({"a": 1}, protocol=2), ["damaged"]),
    ):
        path.write_bytes(content)
        refused(path, *words)
    refused(tmp_path / "absent.tar", "no such file")
    refused(tmp_path, "a folder")
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("t2m/mean.npy", b"")
    refused(path, "t2m/mean.npy")
    with tarfile.open(path, "w") as archive:
        archive.addfile(tarfile.TarInfo("storages"), io.BytesIO())
    refused(path, "tar archive")


def test_what_holds_no_dictionary_is_named(tmp_path):
    refused(saved(tmp_path / "list.pt", [torch.ones(2)]), "found a list")
    refused(saved(tmp_path / "model.pt", torch.nn.Linear(2, 2)), "whole model")
