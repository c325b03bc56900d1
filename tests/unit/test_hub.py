"""Published weights and model folders from a hub, against one that runs on this machine."""

import functools
import hashlib
import json
import shutil
from pathlib import Path

import huggingface_hub
import numpy as np
import pytest
import torch
from huggingface_hub import HfApi, constants
from huggingface_hub.errors import HfHubHTTPError, LocalTokenNotFoundError
from huggingface_hub.utils import filter_repo_objects

from launch.cli import main
from launch.composition.published_weights import known_weights, published_weights
from motiongpt.backbones.loading import load_backbone
from motiongpt.checksums import write_checksums
from motiongpt.errors import UserError
from motiongpt.published import hub as hub_module
from motiongpt.published.folder import ModelFolder
from motiongpt.published.hub import push_to_hub
from motiongpt.published.import_checkpoint import import_checkpoint, known_importers
from motiongpt.published.importers.base import ImportOptions
from motiongpt.published.weights import PublishedWeights
from motiongpt.reachable import hub_is_reachable
from tests.unit.fake_hub import FakeHub
from tests.unit.original_checkpoints import (
    WORDS,
    K,
    state_of,
    statistics,
    t5,
    text_tokenizer,
    vq_vae,
)

CHECKPOINT = b"a checkpoint of some length" * 1000


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """A model folder with a language model."""
    root = tmp_path_factory.mktemp("model")
    torch.save({"state_dict": state_of(vq_vae(), t5(WORDS + K + 3))}, root / "small.tar")
    options = ImportOptions(statistics(root / "meta"), None, text_tokenizer(root / "words"))
    return import_checkpoint(root / "small.tar", root / "small", options, log=str).folder


def files_of(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def served_at(address: str, monkeypatch, tmp_path) -> None:
    """Have huggingface_hub ask `address`, with a cache of its own."""
    for name in ("hf_hub_download", "snapshot_download"):
        there = functools.partial(
            getattr(huggingface_hub, name), endpoint=address, cache_dir=tmp_path / "cache"
        )
        monkeypatch.setattr(hub_module, name, there)
    monkeypatch.setattr(hub_module, "hub_is_reachable", lambda: True)


def weights(**changes) -> PublishedWeights:
    settings = {
        "name": "small", "what": "a test", "importer": "motiongpt", "codebook_size": K,
        "file": "small.tar", "licence": "MIT", "how_to_get": "ask",
        "repository": "owner/weights",
    }  # fmt: skip
    return PublishedWeights(**{**settings, **changes})


@pytest.fixture
def served(monkeypatch):
    """A hub with one checkpoint, as huggingface_hub sees it from within this process."""
    hub = FakeHub({"owner/weights": {"small.tar": CHECKPOINT}})
    with hub.serving() as address:
        monkeypatch.setattr(hub_module, "hub_is_reachable", lambda: True)
        monkeypatch.setattr(
            hub_module,
            "hf_hub_url",
            lambda name, file, revision: f"{address}/{name}/resolve/{revision}/{file}",
        )
        yield hub


def test_every_published_yaml_names_an_importer_and_a_licence():
    found = known_weights()
    assert {one.name for one in found} >= {"motiongpt", "t2m_gpt"}
    for one in found:
        assert one.importer in known_importers() and one.licence and one.how_to_get
        assert published_weights(one.name) == one
        assert one.sha256 is None or len(one.sha256) == 64
    with pytest.raises(UserError, match="known: .*motiongpt"):
        published_weights("motiongtp")


def test_a_checkpoint_is_fetched_once_and_checked(served, tmp_path):
    path = weights().fetch(tmp_path / "to", progress=False)
    assert path.read_bytes() == CHECKPOINT
    gets = [one for one in served.asked if one[0] == "GET"]
    assert weights().fetch(tmp_path / "to", progress=False) == path
    assert [one for one in served.asked if one[0] == "GET"] == gets


def test_a_broken_download_goes_on_where_it_stopped(served, tmp_path):
    served.break_off_after = 10_000
    with pytest.raises(UserError, match="run the same command again"):
        weights().fetch(tmp_path, progress=False)
    part = tmp_path / "small.tar.part"
    assert not (tmp_path / "small.tar").exists() and part.stat().st_size == 10_000
    served.break_off_after = None
    assert weights().fetch(tmp_path, progress=False).read_bytes() == CHECKPOINT
    assert served.asked[-1][2] == "bytes=10000-"


def test_bytes_that_changed_on_the_way_are_refused(served, tmp_path, monkeypatch):
    right = hashlib.sha256(CHECKPOINT).hexdigest()
    assert weights(sha256=right).fetch(tmp_path / "right", progress=False)
    answer = FakeHub.answer

    def damaged(self, path):
        status, content, headers = answer(self, path)
        return status, content.replace(b"some", b"none"), headers

    monkeypatch.setattr(FakeHub, "answer", damaged)
    for expected in (None, right):
        with pytest.raises(UserError, match=f"expected {right}"):
            weights(sha256=expected).fetch(tmp_path / "wrong", progress=False)
        assert not list((tmp_path / "wrong").iterdir())


def test_another_file_than_the_known_one_is_refused_before_it_is_fetched(served, tmp_path):
    with pytest.raises(UserError, match="its authors have changed it"):
        weights(sha256="0" * 64).fetch(tmp_path, progress=False)
    assert not [one for one in served.asked if one[0] == "GET"]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"repository": None}, "can't be fetched by a program; ask"),
        ({"repository": "owner/nothing"}, "no such repository, or it is private"),
        ({"file": "other.tar"}, "no such file"),
    ],
)
def test_what_cannot_be_fetched_is_said_in_one_line(changes, said, served, tmp_path):
    with pytest.raises(UserError, match=said) as caught:
        weights(**changes).fetch(tmp_path, progress=False)
    assert "\n" not in str(caught.value)


def test_without_a_network_it_says_so(folder, monkeypatch, tmp_path):
    monkeypatch.setattr(hub_module, "hub_is_reachable", lambda: False)
    for ask in (
        lambda: weights().fetch(tmp_path, progress=False),
        lambda: hub_module.from_hub("owner/never-fetched"),
        lambda: push_to_hub(folder, "owner/small"),
    ):
        with pytest.raises(UserError, match="the hub can't be reached"):
            ask()


def test_whether_the_hub_answers_is_known_soon(served, monkeypatch):
    with FakeHub({}).serving() as address:
        monkeypatch.setattr(constants, "ENDPOINT", address)
        assert hub_is_reachable()
    assert not hub_is_reachable()


def test_the_command_lists_what_there_is(capsys):
    assert main(["download"]) == 0
    said = capsys.readouterr().out
    assert "OpenMotionLab/MotionGPT-base" in said and "T2M-GPT" in said and "by hand" in said
    assert main(["download", "t2m_gpt"]) == 2
    assert "download_model.sh" in capsys.readouterr().err
    assert main(["download", "nothing"]) == 2
    assert "known: motiongpt" in capsys.readouterr().err


def test_the_command_fetches_and_imports(served, monkeypatch, tmp_path, capsys):
    torch.save({"state_dict": state_of(vq_vae(), t5(WORDS + K + 3))}, tmp_path / "made.tar")
    served.repositories["owner/weights"]["small.tar"] = (tmp_path / "made.tar").read_bytes()
    with FakeHub({"meta": files_of(statistics(tmp_path / "meta"))}).serving() as address:
        both = {name: f"{address}/meta/resolve/x/{name}.npy" for name in ("mean", "std")}
        small = weights(statistics=both)
        monkeypatch.setattr("launch.commands.download.published_weights", lambda _: small)
        to = tmp_path / "to"
        assert main(["download", "small", "--to", str(to)]) == 0
        said = capsys.readouterr().out
        assert f"import-checkpoint {to / 'small.tar'} --statistics {to / 'meta'}" in said
        words = text_tokenizer(tmp_path / "words")
        again = ["download", "small", "--to", str(to), "--import", "--text-tokenizer", words]
        assert main(again) == 0
    assert "experiment=published" in capsys.readouterr().out
    imported = ModelFolder.open(to / "small")
    assert load_backbone(imported.part("language_model")).vocabulary.codebook_size == K
    assert (imported.source["repository"], imported.source["licence"]) == ("owner/weights", "MIT")


def test_a_model_folder_comes_from_the_hub_whole_and_nothing_else(
    folder, monkeypatch, tmp_path, capsys
):
    kept = files_of(folder)
    hub = FakeHub({"owner/small": {**kept, "big.tar": b"x", "code.py": b"x"}})

    def download(to):
        return main(["download", "owner/small", "--to", str(tmp_path / to)])

    with hub.serving() as address:
        served_at(address, monkeypatch, tmp_path)
        assert download("to") == 0
        assert "experiment=published" in capsys.readouterr().out
        assert files_of(tmp_path / "to") == kept
        assert not [one for one in hub.asked if one[1].endswith((".tar", ".py"))]
        assert download("to") == 2 and "is there already" in capsys.readouterr().err
    monkeypatch.setattr(hub_module, "hub_is_reachable", lambda: False)
    assert download("off") == 0, "what was fetched once is used without a network"
    assert files_of(tmp_path / "off") == kept


def test_what_is_no_model_folder_on_the_hub_is_said_in_one_line(monkeypatch, tmp_path, capsys):
    with FakeHub({"owner/weights": {"small.tar": CHECKPOINT}}).serving() as address:
        served_at(address, monkeypatch, tmp_path)
        for name, said in (
            ("owner/weights", "no model folder on the hub"),
            ("owner/nothing", "no such repository"),
            ("a/b/c", "expected OWNER/NAME"),
        ):
            assert main(["download", name]) == 2
            error = capsys.readouterr().err
            assert said in error and len(error.splitlines()) == 1, error


def test_what_a_models_list_of_files_names_is_fetched_whatever_its_ending(
    folder, monkeypatch, tmp_path
):
    """Arrays too, as MLD's lengths; a model of an earlier version has no such list."""
    whole = tmp_path / "whole"
    shutil.copytree(folder, whole)
    np.save(whole / "codec" / "lengths.npy", np.arange(3))
    (whole / "codec" / "notes.dat").write_bytes(b"x")
    names = [path for path in whole.rglob("*") if path.is_file() and path.parent != whole]
    write_checksums(whole, names)
    kept = files_of(whole)
    old = {name: content for name, content in kept.items() if name != "checksums.json"}
    hub = FakeHub({"owner/new": {**kept, "code.py": b"x"}, "owner/old": {**old, "big.tar": b"x"}})
    with hub.serving() as address:
        served_at(address, monkeypatch, tmp_path)
        assert files_of(hub_module.from_hub("owner/new")) == kept
        found = files_of(hub_module.from_hub("owner/old"))
    assert found == {name: content for name, content in old.items() if not name.endswith(".dat")}
    uploads = Uploads(monkeypatch)
    push_to_hub(whole, "owner/new")
    patterns = uploads.calls["upload_folder"]["allow_patterns"]
    sent = set(filter_repo_objects(kept, allow_patterns=patterns, ignore_patterns=["README.md"]))
    assert sent == kept.keys() - {"README.md"}


def test_a_damaged_model_is_not_pushed(folder, monkeypatch, tmp_path):
    uploads = Uploads(monkeypatch)
    shutil.copytree(folder, tmp_path / "cut")
    weights = next((tmp_path / "cut" / "codec").glob("*.safetensors"))
    weights.write_bytes(weights.read_bytes()[:-9])
    with pytest.raises(UserError, match="is damaged"):
        push_to_hub(tmp_path / "cut", "owner/cut")
    assert not uploads.calls


def test_a_model_that_copies_clips_is_not_pushed(folder, monkeypatch, tmp_path):
    uploads = Uploads(monkeypatch)
    shutil.copytree(folder, tmp_path / "copies")
    path = tmp_path / "copies" / "motiongpt.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"method": "lookup"}))
    with pytest.raises(UserError, match="method lookup copies clips of its data.*licence") as one:
        push_to_hub(tmp_path / "copies", "owner/copies")
    assert "\n" not in str(one.value) and not uploads.calls


class Uploads:
    """Stands in for the part of HfApi that writes."""

    def __init__(self, monkeypatch, error: Exception | None = None) -> None:
        self.calls: dict[str, dict] = {}
        monkeypatch.setattr(hub_module, "hub_is_reachable", lambda: True)
        for name in ("create_repo", "upload_folder", "upload_file"):
            monkeypatch.setattr(HfApi, name, self.method(name, error))

    def method(self, name, error):
        def call(_, *arguments, **settings):
            if error is not None:
                raise error
            self.calls[name] = {"arguments": arguments, **settings}
            return type("Commit", (), {"commit_url": "https://hub/owner/small/commit/1"})

        return call


def test_a_model_folder_is_pushed_with_a_card(folder, monkeypatch, capsys):
    uploads = Uploads(monkeypatch)
    assert main(["push", str(folder), "owner/small", "--private"]) == 0
    assert "https://hub/owner/small/commit/1" in capsys.readouterr().out
    assert uploads.calls["create_repo"]["private"] is True
    assert uploads.calls["upload_folder"]["folder_path"] == folder
    card = uploads.calls["upload_file"]["path_or_fileobj"].decode()
    assert uploads.calls["upload_file"]["path_in_repo"] == "README.md"
    for part in (
        'load("owner/small")',
        "16 codes, 4 frames a token",
        "Language model: t5",
        "20 frames per second",
        '"importer": "motiongpt"',
    ):
        assert part in card, card


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (LocalTokenNotFoundError("no token"), "hf auth login"),
        (HfHubHTTPError("no", response=type("R", (), {"status_code": 403, "headers": {}, "request": None})()), "refuses"),
        (ConnectionError("unreachable"), "can't be reached"),
    ],
    ids=["not logged in", "forbidden", "no network"],
)  # fmt: skip
def test_a_push_that_fails_says_why_in_one_line(error, said, folder, monkeypatch):
    Uploads(monkeypatch, error)
    with pytest.raises(UserError, match=said) as caught:
        push_to_hub(folder, "owner/small")
    assert "\n" not in str(caught.value)


def test_only_model_folders_are_pushed(tmp_path):
    with pytest.raises(UserError, match="not a model folder"):
        push_to_hub(tmp_path, "owner/small")
