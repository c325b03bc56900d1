import numpy as np
import pytest
from PIL import Image

from motiongpt.motion.skeleton import HUMANML3D, KIT
from motiongpt.render.animation import render_animation
from motiongpt.render.camera import frame_clips
from motiongpt.render.figure import FULL, LEFT_COLOUR, RIGHT_COLOUR, body_height
from motiongpt.render.lettering import font, wrap
from motiongpt.render.looks import faded
from motiongpt.render.scene import MUTED_BY
from motiongpt.render.strip import render_strip

BOX = (10.0, 40.0, 310.0, 280.0)


def walk(skeleton=HUMANML3D, frames=10, metres_a_frame=0.02):
    pose = skeleton.offsets().numpy().astype(float)
    for joint, parent in enumerate(skeleton.parents):
        if parent >= 0:
            pose[joint] += pose[parent]
    pose[:, 1] -= pose[:, 1].min()
    return np.stack([pose + [0, 0, metres_a_frame * frame] for frame in range(frames)])


def pixels_of(picture, colour, near=40):
    """Columns and rows of the pixels of about this colour, above the legend."""
    pixels = np.asarray(picture.convert("RGB")).astype(int)[: int(0.9 * picture.height)]
    return np.argwhere(np.abs(pixels - colour).max(-1) < near)[:, ::-1]


@pytest.mark.parametrize("skeleton", [HUMANML3D, KIT])
def test_someone_who_faces_us_has_the_left_side_on_our_right(tmp_path, skeleton):
    joints = walk(skeleton, frames=2)
    right_hip, left_hip = skeleton.face_joints[:2]
    joints[..., 0] *= np.sign(joints[0, left_hip, 0] - joints[0, right_hip, 0])
    render_strip(joints, skeleton, tmp_path / "a.png", poses=1, size=200)
    picture = Image.open(tmp_path / "a.png")
    left, right = (pixels_of(picture, colour) for colour in (LEFT_COLOUR, RIGHT_COLOUR))
    assert left[:, 0].mean() > right[:, 0].mean() + 5
    assert abs(len(left) - len(right)) < 0.5 * len(right)


@pytest.mark.parametrize("metres_a_frame", [0.0, 0.02, 0.5])
def test_the_whole_body_is_in_the_picture_and_fills_it(metres_a_frame):
    joints = walk(frames=60, metres_a_frame=metres_a_frame)
    camera = frame_clips([joints], body_height(joints, HUMANML3D), BOX)
    seen = np.stack([camera.project(pose, frame)[0] for frame, pose in enumerate(joints)])
    assert (seen >= BOX[:2]).all() and (seen <= BOX[2:]).all()
    assert camera.follows == (metres_a_frame == 0.5)
    if camera.follows or not metres_a_frame:
        assert np.ptp(seen[0, :, 1]) > 0.6 * (BOX[3] - BOX[1])


def test_clips_side_by_side_are_seen_alike():
    near, far = walk(metres_a_frame=0.0), walk(metres_a_frame=0.1)
    height = body_height(near, HUMANML3D)
    one, other = (frame_clips(clips, height, BOX) for clips in ((near, far), (far, near)))
    np.testing.assert_allclose(one.project(near[0], 0)[0], other.project(near[0], 0)[0], atol=1e-6)


def test_what_stands_on_the_floor_and_what_floats():
    joints = walk()
    height = body_height(joints, HUMANML3D)
    assert frame_clips([joints + [0, 0.1, 0]], height, BOX).floor == 0.0
    assert frame_clips([joints + [0, 9.0, 0]], height, BOX).floor == pytest.approx(9.0)
    assert 1.5 < height < 2.0
    assert body_height(1000 * joints, HUMANML3D) == pytest.approx(1000 * height)


def test_given_frames_are_muted(tmp_path):
    given = np.arange(10) < 5
    render_animation(walk(), HUMANML3D, tmp_path / "a.gif", given=given, size=200)
    picture = Image.open(tmp_path / "a.gif")
    counts, muted = [], faded(FULL, MUTED_BY)
    for frame in (2, 7):
        picture.seek(frame)
        counts.append([len(pixels_of(picture, c, near=12)) for c in (muted.left, LEFT_COLOUR)])
    (muted_given, full_given), (muted_made, full_made) = counts
    assert muted_given > 100 and full_given < 10
    assert full_made > 100 and muted_made < 0.25 * muted_given


@pytest.mark.parametrize("ending", [".gif", ".webp"])
def test_a_clip_of_five_seconds_is_small_and_lasts_five_seconds(tmp_path, ending):
    path = tmp_path / f"a{ending}"
    render_animation(walk(frames=100), HUMANML3D, path, "a caption of some words")
    assert path.stat().st_size < 400_000
    picture = Image.open(path)
    durations = []
    for frame in range(picture.n_frames):
        picture.seek(frame)
        picture.load()
        durations.append(picture.info["duration"])
    assert durations == [50] * 100


def test_a_failed_write_keeps_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "a.gif"
    path.write_bytes(b"old")

    def fail(self, target, **options):
        target.write_bytes(b"half")
        raise OSError("disk full")

    monkeypatch.setattr(Image.Image, "save", fail)
    with pytest.raises(OSError, match="disk full"):
        render_animation(walk(frames=2), HUMANML3D, path, size=64)
    assert path.read_bytes() == b"old" and list(tmp_path.iterdir()) == [path]


def test_captions_wrap_and_end_in_an_ellipsis():
    letters = font(14)
    lines = wrap("a person walks forward slowly and then turns around twice", letters, 120, 2)
    assert len(lines) == 2 and lines[1].endswith("…")
    assert all(letters.getlength(line) <= 120 for line in lines)
    assert wrap("short", letters, 120, 2) == ("short",)
    assert wrap("", letters, 120, 2) == ()
    assert letters.getlength(wrap("w" * 80, letters, 120, 2)[0]) <= 120


def test_a_strip_shows_every_pose_at_the_same_size(tmp_path):
    joints = walk(frames=30, metres_a_frame=0.0)
    render_strip(joints, HUMANML3D, tmp_path / "a.png", "someone stands still", poses=3, size=100)
    sheet = Image.open(tmp_path / "a.png")
    top = sheet.height - 100
    panels = [sheet.crop((100 * i, top, 100 * i + 100, top + 85)).tobytes() for i in range(3)]
    assert panels[0] == panels[1] == panels[2]
    render_strip(joints, HUMANML3D, tmp_path / "b.png", " ", poses=3, size=100)
    assert Image.open(tmp_path / "b.png").height == 100
