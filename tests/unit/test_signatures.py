import pytest
from omegaconf import OmegaConf

from launch.composition.build import build
from launch.composition.compose import Composer, compose_config
from launch.composition.datasets import store_folder
from launch.composition.overrides import expand
from launch.composition.signatures import signature, signed_part
from motiongpt.errors import UserError

SETTINGS = {
    "_unsigned_": ["hardware", "schedule.checkpoint_every"],
    "steps": 10,
    "optimizer": {"lr": 1e-3},
    "hardware": {"workers": 0},
    "schedule": {"checkpoint_every": 5, "hardware": "tpu"},
    "list": [{"_unsigned_": ["threads"], "threads": 1}],
}


TEMPLATES = {"_by_content_": ["templates"]}


def sign(settings=SETTINGS, fingerprint="data", parents=None, stage="tokenizer"):
    return signature(stage, settings, fingerprint, parents or {"before": "a"})


def test_what_changes_the_result_changes_the_signature():
    changed = [
        sign({**SETTINGS, "steps": 11}),
        sign({**SETTINGS, "optimizer": {"lr": 1e-4}}),
        sign(fingerprint="other"),
        sign(parents={"before": "b"}),
        sign(stage="tokens"),
        sign({**SETTINGS, "new_default": 0}),
    ]
    assert len({sign(), *changed}) == 1 + len(changed)


def test_what_is_declared_unsigned_plays_no_part():
    same = {
        **SETTINGS,
        "hardware": {"workers": 8, "devices": 2},
        "schedule": {"checkpoint_every": 7, "hardware": "tpu"},
        "list": [{"_unsigned_": ["threads"], "threads": 4}],
    }
    assert sign(same) == sign()


def test_a_declaration_holds_for_its_own_place_alone():
    other = {**SETTINGS, "schedule": {"checkpoint_every": 5, "hardware": "gpu"}}
    assert sign(other) != sign()
    scores = {"_unsigned_": ["path"], "path": "a", "metric": {"root": "local", "path": "b"}}
    for key, value in (("root", "global"), ("path", "c")):
        changed = {**scores, "metric": {**scores["metric"], key: value}}
        assert sign(changed) != sign(scores)
    assert sign({"loss": {"weights": 0.5}}) != sign({"loss": {"weights": 0.6}})


def test_a_declaration_is_no_change_itself():
    assert signed_part({"a": 1, "b": {"c": 2}}) == signed_part(
        {"_by_content_": ["d"], "a": 1, "b": {"_unsigned_": ["e"], "c": 2, "e": 3}}
    )
    assert signed_part({"_unsigned_": ["b.c", "b.x.y"], "b": {"c": 1, "x": 2}}) == {"b": {"x": 2}}


def test_a_file_of_templates_is_signed_by_its_content(tmp_path):
    one, same, other = (tmp_path / name for name in ("one.json", "same.json", "other.json"))
    for file, text in ((one, "{}"), (same, "{}"), (other, "[]")):
        file.write_text(text)
    signed = [sign({**TEMPLATES, "templates": str(file)}) for file in (one, same, other)]
    assert signed[0] == signed[1] != signed[2] != sign({**TEMPLATES, "templates": None})
    with pytest.raises(UserError, match="templates=.*nowhere"):
        sign({**TEMPLATES, "templates": str(tmp_path / "nowhere")})


@pytest.mark.parametrize("key", ["weights", "word_vectors"])
def test_a_folder_is_signed_by_names_and_content(tmp_path, key):
    def folder(name, files):
        for file, content in files.items():
            (tmp_path / name / file).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name / file).write_bytes(content)
        return sign({"evaluator": {"_by_content_": [key], key: str(tmp_path / name)}})

    files = {"model/finest.tar": b"weights", "meta/mean.npy": b"mean"}
    one = folder("one", files)
    assert folder("same", dict(reversed(files.items()))) == one
    others = [
        folder("bytes", {**files, "meta/mean.npy": b"other"}),
        folder("name", {"model/latest.tar": b"weights", "meta/mean.npy": b"mean"}),
        folder("swapped", {"model/finest.tar": b"mean", "meta/mean.npy": b"weights"}),
        folder("more", {**files, "meta/std.npy": b""}),
        sign({"evaluator": {"_by_content_": [key], key: None}}),
    ]
    assert len({one, *others}) == 6
    with pytest.raises(UserError, match=f"{key}=.*nowhere.*file or folder"):
        sign({"_by_content_": [key], key: str(tmp_path / "nowhere")})


def test_order_of_keys_plays_no_part():
    assert sign(dict(reversed(SETTINGS.items()))) == sign()


def test_a_hub_name_is_signed_as_written_and_a_folder_of_that_name_by_content(
    tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)

    def source(name):
        return sign({"backbone": {"_by_content_": ["source"], "source": name}})

    hub = source("google/flan-t5-base")
    assert hub != source("google/flan-t5-small") != source("Qwen/Qwen2.5-0.5B")
    folder = tmp_path / "google/flan-t5-base"
    folder.mkdir(parents=True)
    signed = set()
    for weights in (b"one", b"two"):
        (folder / "model.safetensors").write_bytes(weights)
        signed.add(source("google/flan-t5-base"))
    assert len(signed - {hub}) == 2
    for wrong in ("my.json", "./elsewhere", "/nowhere", "a/b/c"):
        with pytest.raises(UserError, match=f"source={wrong}: No such file"):
            source(wrong)


def test_constructors_do_not_see_declarations():
    node = {
        "_target_": "builtins.dict",
        "_unsigned_": ["a"],
        "a": 1,
        "inner": {"_target_": "builtins.dict", "_by_content_": ["b"], "b": None},
        "parts": [{"_by_content_": [], "c": 2}],
    }
    expected = {"a": 1, "inner": {"b": None}, "parts": [{"c": 2}]}
    assert build(node) == build(OmegaConf.create(node)) == expected
    assert build(node, a=3)["a"] == 3


@pytest.mark.parametrize(
    "override",
    [
        "stage.tokenizer._unsigned_=[seed]",
        "+stage.tokenizer.losses._by_content_=[velocity]",
        "~stage.tokenizer._unsigned_",
        "+stage.tokenizer.more={deep: [{_unsigned_: [seed]}]}",
        "stage.tokenizer={_unsigned_: [seed]}",
    ],
)
def test_what_is_signed_is_not_for_the_command_line(override):
    for read in (compose_config, Composer().compose):
        with pytest.raises(UserError, match=r"only a yaml of conf/ may say so") as caught:
            read([override])
        assert "\n" not in str(caught.value)
    with pytest.raises(UserError, match="only a yaml"):
        for point in expand(["stage.tokenizer={_unsigned_: [seed]},{}"]):
            compose_config(point)


def test_a_store_is_not_named_by_how_it_is_read(tmp_path):
    archive = tmp_path / "bandai.zip"
    archive.write_bytes(b"zip")

    def folder(*words):
        path = f"data.source.path={archive}"
        return store_folder(compose_config(["data=bandai_namco", path, *words]))

    same = [f"data.source.{word}" for word in ("workers=7", "download=true", "progress=false")]
    assert {folder(word) for word in same} == {folder()} != {folder("data.source.limit=3")}
