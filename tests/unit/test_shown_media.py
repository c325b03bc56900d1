"""Films, scenes and tables in W&B's rows, in W&B's own objects, and in TensorBoard's events."""

import shutil

import numpy as np
import pytest
from omegaconf import OmegaConf

from launch.composition.compose import compose_config
from launch.loggers.stage_loggers import open_loggers
from launch.loggers.wandb_rows import part_files, read_part
from launch.loggers.wandb_server import log_row
from motiongpt.export.saving import save_motion
from motiongpt.motion.sequence import MotionSequence
from motiongpt.training.shown import ShownFile, show_files, show_table
from tests.unit.bodies.stand_ins import made_up_clip

FACTS = {
    "attempt": "0001",
    "stage": "evaluate",
    "run_name": "a",
    "run_id": "a",
    "group": "g",
    "tags": [],
}


@pytest.fixture(scope="module")
def media(tmp_path_factory):
    folder = tmp_path_factory.mktemp("media")
    motion = MotionSequence.from_joints(made_up_clip(4), 20.0)
    return [save_motion(motion, folder / f"clip.{kind}", **size) for kind, size in
            (("mp4", {"size": 64}), ("gif", {"size": 32}), ("glb", {}))]  # fmt: skip


def logged(tmp_path, choice, media):
    run = tmp_path / "attempt"
    run.mkdir()
    mine = [shutil.copy(file, run) for file in media]
    config = OmegaConf.create({"logger": compose_config([f"logger={choice}"]).logger})
    loggers = open_loggers(config, {**FACTS, "folder": str(run)})
    film, gif, scene = mine
    show_files(loggers, "walk", [ShownFile(film, "a person <walks>"), ShownFile(gif, "again")], 7)
    show_files(loggers, "body", [ShownFile(scene, "a body")])
    show_table(loggers, "captions", ["real", "generated"], [["a | b", "c\nd"]])
    show_files(loggers, "nothing", [])
    for logger in loggers:
        assert logger.works
        logger.close("success")
    return run.rename(tmp_path / "published")


def test_wandb_finds_the_files_where_the_run_was_moved_to(tmp_path, media):
    folder = logged(tmp_path, "wandb", media)
    (file,) = part_files(folder)
    assert "attempt" not in file.read_text().replace('"attempt"', "")
    walk, body, table = read_part(file).rows
    assert walk.step == 7 and walk.values["walk"]["kind"] == "video"
    assert [one["path"] for one in walk.values["walk"]["files"]] == [
        str(folder / "clip.mp4"), str(folder / "clip.gif")
    ]  # fmt: skip
    assert body.values["body"]["kind"] == "scene"
    assert table.values["captions"]["data"] == [["a | b", "c\nd"]]


def test_wandb_is_given_its_own_objects_and_nothing_of_what_is_gone(tmp_path, media):
    import wandb

    folder = logged(tmp_path, "wandb", media)
    (file,) = part_files(folder)
    (folder / "clip.gif").unlink()
    (folder / "clip.glb").unlink()
    told = []

    class Run:
        def log(self, values, step):
            told.append((step, values))

    for number, row in enumerate(read_part(file).rows):
        log_row(Run(), row.values, number)
    (film,) = told[0][1]["walk"]
    assert isinstance(film, wandb.Video) and told[0][1]["trainer/global_step"] == 7
    assert told[1] == (1, {})
    assert isinstance(told[2][1]["captions"], wandb.Table)


def test_wandb_shows_a_glb_as_a_scene(tmp_path, media):
    import wandb

    seen = []
    run = type("Run", (), {"log": lambda self, values, step: seen.append(values)})()
    row = {"_type": "files", "kind": "scene", "files": [{"path": str(media[2]), "caption": "b"}]}
    log_row(run, {"body": row}, 0)
    assert isinstance(seen[0]["body"][0], wandb.Object3D)


def test_tensorboard_plays_films_and_names_scenes(tmp_path, media):
    from PIL import Image
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    folder = logged(tmp_path, "tensorboard", media)
    events = EventAccumulator(str(folder / "tensorboard"))
    events.Reload()
    for number, size in enumerate((64, 32)):
        (event,) = events.Images(f"walk/{number}")
        path = tmp_path / "film.gif"
        path.write_bytes(event.encoded_image_string)
        with Image.open(path) as film:
            assert film.n_frames == 4 and film.size == (size, size) == (event.width, event.height)
            assert np.ptp(np.array(film.convert("L"))) > 50
        assert event.step == 7

    def text(name):
        (event,) = events.Tensors(f"{name}/text_summary")
        return event.tensor_proto.string_val[0].decode()

    assert text("walk/0") == "a person <walks>"
    assert "clip.glb" in text("body")
    assert text("captions") == "| real | generated |\n| --- | --- |\n| a \\| b | c d |\n"


def test_csv_and_nothing_leave_them_out(tmp_path, media):
    folder = logged(tmp_path, "csv", media)
    assert {one.name for one in folder.iterdir()} == {"clip.mp4", "clip.gif", "clip.glb"}


def test_a_film_that_is_none_ends_the_logger_alone(tmp_path, capsys):
    (tmp_path / "bad.mp4").write_bytes(b"nothing")
    config = OmegaConf.create({"logger": compose_config(["logger=tensorboard"]).logger})
    (logger,) = open_loggers(config, {**FACTS, "folder": str(tmp_path)})
    show_files([logger], "walk", [ShownFile(tmp_path / "bad.mp4", "")])
    assert not logger.works
    assert "logger tensorboard: " in capsys.readouterr().out
