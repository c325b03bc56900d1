import pytest

from launch.plans.signatures import signature
from motiongpt.errors import UserError

SETTINGS = {
    "steps": 10,
    "optimizer": {"lr": 1e-3},
    "hardware": {"workers": 0},
    "list": [{"threads": 1}],
}


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


def test_what_cannot_change_the_result_does_not():
    same = {**SETTINGS, "hardware": {"workers": 8, "devices": 2}, "list": [{"threads": 4}]}
    assert sign(same) == sign()


def test_a_file_of_templates_is_signed_by_its_content(tmp_path):
    one, same, other = (tmp_path / name for name in ("one.json", "same.json", "other.json"))
    for file, text in ((one, "{}"), (same, "{}"), (other, "[]")):
        file.write_text(text)
    signed = [sign({"templates": str(file)}) for file in (one, same, other)]
    assert signed[0] == signed[1] != signed[2] != sign({"templates": None})
    with pytest.raises(UserError, match="templates=.*nowhere"):
        sign({"templates": str(tmp_path / "nowhere")})


@pytest.mark.parametrize("key", ["weights", "word_vectors"])
def test_a_folder_is_signed_by_names_and_content(tmp_path, key):
    def folder(name, files):
        for file, content in files.items():
            (tmp_path / name / file).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name / file).write_bytes(content)
        return sign({"evaluator": {key: str(tmp_path / name)}})

    files = {"model/finest.tar": b"weights", "meta/mean.npy": b"mean"}
    one = folder("one", files)
    assert folder("same", dict(reversed(files.items()))) == one
    others = [
        folder("bytes", {**files, "meta/mean.npy": b"other"}),
        folder("name", {"model/latest.tar": b"weights", "meta/mean.npy": b"mean"}),
        folder("swapped", {"model/finest.tar": b"mean", "meta/mean.npy": b"weights"}),
        folder("more", {**files, "meta/std.npy": b""}),
        sign({"evaluator": {key: None}}),
    ]
    assert len({one, *others}) == 6
    with pytest.raises(UserError, match=f"{key}=.*nowhere.*file or folder"):
        sign({key: str(tmp_path / "nowhere")})


def test_order_of_keys_plays_no_part():
    assert sign(dict(reversed(SETTINGS.items()))) == sign()
