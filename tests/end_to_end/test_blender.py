"""Our BVH opened by a real Blender: its joints are those of the .npy."""

import json
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from motiongpt import Motion
from motiongpt.data.synthetic import SyntheticSource
from motiongpt.motion.axes import from_z_up
from motiongpt.motion.joint_names import names_of
from motiongpt.motion.skeleton import HUMANML3D
from tests.unit.test_rigid import trembling

SCRIPT = Path(__file__).with_name("blender_joints.py")


def seen_by_blender(path: Path, out: Path) -> dict:
    blender = shutil.which("blender")
    if blender is None:
        pytest.skip("no Blender here; Debian has it as the package blender")
    words = [blender, "--background", "--factory-startup", "--python-exit-code", "3"]
    done = subprocess.run(
        [*words, "--python", str(SCRIPT), "--", str(path), str(out)],
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(out.read_text())


@pytest.mark.slow
@pytest.mark.parametrize(("names", "rigid"), [("mixamo", True), ("own", False)])
def test_joints_are_where_they_are_here(tmp_path, names, rigid):
    clip = next(iter(SyntheticSource(clips=1, seed=2).clips()))
    joints = trembling(np.asarray(clip.joints, np.float64), 0.01)
    motion = Motion.from_joints(joints, 20)
    motion = motion.rigid() if rigid else motion
    np.save(tmp_path / "motion.npy", motion.joints)
    path = motion.save(tmp_path / "motion.bvh", names=names, rigid=rigid)
    seen = seen_by_blender(path, tmp_path / "seen.json")
    assert seen["fps"] == pytest.approx(20)
    heads = [seen["heads"][name] for name in names_of(HUMANML3D, names)]
    found = from_z_up(np.asarray(heads).transpose(1, 0, 2))
    kept = np.load(tmp_path / "motion.npy")
    assert found.shape == kept.shape
    assert np.linalg.norm(found - kept, axis=-1).max() < 1e-3
