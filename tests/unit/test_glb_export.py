"""GLB and FBX: read back by the specification, judged by Khronos' validator, opened by Blender."""

import json
import shutil
import struct
import subprocess

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from motiongpt.errors import UserError
from motiongpt.export.formats.fbx import Fbx
from motiongpt.export.formats.glb import Glb
from motiongpt.export.gltf import Buffer
from motiongpt.motion.sequence import MotionSequence
from motiongpt.motion.skeleton import HUMANML3D, KIT
from tests.unit.bodies.stand_ins import made_up_clip

TYPES = {5126: "<f4", 5121: "u1", 5123: "<u2"}
WIDTHS = {"SCALAR": 1, "VEC3": 3, "VEC4": 4, "MAT4": 16}
VALIDATE = """
const validator = require('gltf-validator');
const bytes = new Uint8Array(require('fs').readFileSync(process.argv[2]));
validator.validateBytes(bytes).then(r => console.log(JSON.stringify(r.issues)));
"""


@pytest.fixture(scope="module")
def motion():
    return MotionSequence.from_joints(made_up_clip(20), 20.0, ["a person bends “knees”"])


@pytest.fixture(scope="module")
def scene(motion, tmp_path_factory):
    path = tmp_path_factory.mktemp("glb") / "clip.glb"
    Glb().write(motion, path)
    return Scene(path)


class Scene:
    """A `.glb` file, as the specification has it."""

    def __init__(self, path):
        content = path.read_bytes()
        self.path = path
        magic, version, length = struct.unpack_from("<4sII", content)
        assert (magic, version, length) == (b"glTF", 2, len(content))
        size, kind = struct.unpack_from("<II", content, 12)
        assert kind == 0x4E4F534A and size % 4 == 0
        self.said = json.loads(content[20 : 20 + size])
        more, kind = struct.unpack_from("<II", content, 20 + size)
        assert kind == 0x004E4942 and 28 + size + more == length
        self.content = content[28 + size :]

    def array(self, number):
        accessor = self.said["accessors"][number]
        view = self.said["bufferViews"][accessor["bufferView"]]
        width = WIDTHS[accessor["type"]]
        dtype = np.dtype(TYPES[accessor["componentType"]])
        assert view["byteOffset"] % 4 == 0
        flat = np.frombuffer(self.content, dtype, accessor["count"] * width, view["byteOffset"])
        return flat.reshape(-1, width)

    def world(self):
        """Name -> rotations (T, 3, 3) and places (T, 3) of the skeleton's nodes."""
        animation = self.said["animations"][0]
        moved = {}
        for channel in animation["channels"]:
            sampler = animation["samplers"][channel["sampler"]]
            target = channel["target"]
            moved[target["node"], target["path"]] = self.array(sampler["output"])
        frames = len(self.array(animation["samplers"][0]["input"]))
        found = {}

        def visit(number, turns, places):
            node = self.said["nodes"][number]
            still = np.tile(node["translation"], (frames, 1))
            inside = moved.get((number, "translation"), still)
            places = places + np.einsum("tij,tj->ti", turns, inside)
            if (number, "rotation") in moved:
                turns = turns @ Rotation.from_quat(moved[number, "rotation"]).as_matrix()
            found[number] = turns, places
            for child in node.get("children", ()):
                visit(child, turns, places)

        pelvis = self.said["skins"][0]["skeleton"]
        visit(pelvis, np.tile(np.eye(3), (frames, 1, 1)), np.zeros((frames, 3)))
        return found


def test_joints_are_where_the_motion_has_them(scene, motion):
    world = scene.world()
    names = [scene.said["nodes"][number]["name"] for number in scene.said["skins"][0]["joints"]]
    assert names == list(HUMANML3D.joint_names)
    placed = np.stack([world[number][1] for number in scene.said["skins"][0]["joints"]], axis=1)
    assert np.abs(placed - motion.joints).max() < 0.001
    times = scene.array(scene.said["animations"][0]["samplers"][0]["input"])
    assert np.allclose(times[:, 0], np.arange(20) / 20.0)


def test_the_skin_follows_its_joints(scene):
    world, skin = scene.world(), scene.said["skins"][0]
    inverse = scene.array(skin["inverseBindMatrices"]).reshape(-1, 4, 4).transpose(0, 2, 1)
    attributes = scene.said["meshes"][0]["primitives"][0]["attributes"]
    places, bones, weights, normals = (
        scene.array(attributes[name]) for name in ("POSITION", "JOINTS_0", "WEIGHTS_0", "NORMAL")
    )
    assert np.allclose(weights.sum(1), 1) and np.allclose(np.linalg.norm(normals, axis=1), 1)
    posed = np.zeros((len(places), 3))
    for column in range(4):
        for joint, number in enumerate(skin["joints"]):
            mine = bones[:, column] == joint
            turns, at = world[number]
            local = places[mine] @ inverse[joint, :3, :3].T + inverse[joint, :3, 3]
            posed[mine] += weights[mine, column, None] * (local @ turns[7].T + at[7])
    assert 1.4 < np.ptp(posed[:, 1]) < 2.0
    wrist = world[skin["joints"][20]][1][7]
    assert np.linalg.norm(posed - wrist, axis=1).min() < 0.05


def test_rotations_take_the_short_way_from_frame_to_frame(scene):
    for channel in scene.said["animations"][0]["channels"]:
        if channel["target"]["path"] == "rotation":
            sampler = scene.said["animations"][0]["samplers"][channel["sampler"]]
            turns = scene.array(sampler["output"])
            assert ((turns[1:] * turns[:-1]).sum(1) > 0).all()
            assert np.allclose(np.linalg.norm(turns, axis=1), 1, atol=1e-6)


def test_what_cannot_be_written_is_one_line_and_leaves_nothing(motion, tmp_path):
    kit = MotionSequence(np.random.default_rng(0).normal(size=(4, 21, 3)), 12.5, (), KIT)
    with pytest.raises(UserError, match=r"kit's 21: write \.bvh"):
        Glb().write(kit, tmp_path / "kit.glb")
    with pytest.raises(UserError, match="weight=9: expected -3 to 3"):
        Glb(weight=9.0).write(motion, tmp_path / "heavy.glb")
    with pytest.raises(UserError, match="no program no-blender; install it"):
        Fbx(blender="no-blender").write(motion, tmp_path / "clip.fbx")
    with pytest.raises(UserError, match="false: failed"):
        Fbx(blender="false").write(motion, tmp_path / "clip.fbx")
    assert not list(tmp_path.iterdir())


def test_a_buffer_is_made_of_whole_words():
    buffer = Buffer()
    buffer.add(np.zeros((3, 4), "u1"))
    number = buffer.add(np.array([[1, 2, 3]], "<u2"), limits=True)
    assert buffer.views[number]["byteOffset"] % 4 == 0 and len(buffer.content()) % 4 == 0
    assert buffer.accessors[number]["max"] == [1, 2, 3]


@pytest.mark.slow
def test_khronos_validator_finds_no_error(scene, tmp_path):
    if not (shutil.which("node") and shutil.which("npm")):
        pytest.skip("node and npm are absent: they run Khronos' validator")
    got = subprocess.run(
        ["npm", "install", "--no-audit", "--no-fund", "gltf-validator@2.0.0-dev.3.10"],
        cwd=tmp_path, capture_output=True, text=True,
    )  # fmt: skip
    if got.returncode:
        pytest.skip(f"npm brings no gltf-validator: {got.stderr.strip().splitlines()[-1:]}")
    (tmp_path / "validate.js").write_text(VALIDATE)
    done = subprocess.run(
        ["node", "validate.js", str(scene.path)], cwd=tmp_path, capture_output=True, text=True
    )
    issues = json.loads(done.stdout)
    assert issues["numErrors"] == 0 and issues["numWarnings"] == 0, issues["messages"]


IN_BLENDER = """
import json, sys
import bpy, numpy
numpy.bool = bool  # Blender 3.4's reader says so, Debian's numpy no longer
source, out = sys.argv[sys.argv.index("--") + 1 :]
bpy.ops.wm.read_factory_settings(use_empty=True)
bpy.context.scene.render.fps = 20
bpy.ops.import_scene.gltf(filepath=source)
armature = next(one for one in bpy.data.objects if one.type == "ARMATURE")
heads = {bone.name: [] for bone in armature.pose.bones}
for frame in range(20):
    bpy.context.scene.frame_set(frame)
    for bone in armature.pose.bones:
        heads[bone.name].append(list(armature.matrix_world @ bone.head))
json.dump(heads, open(out, "w"))
"""


@pytest.mark.slow
def test_blender_sees_the_joints_where_they_are(scene, motion, tmp_path):
    if shutil.which("blender") is None:
        pytest.skip("Blender is absent")
    script, out = tmp_path / "heads.py", tmp_path / "heads.json"
    script.write_text(IN_BLENDER)
    command = ["blender", "--background", "--factory-startup", "--python", str(script)]
    subprocess.run([*command, "--", str(scene.path), str(out)], check=True, capture_output=True)
    heads = json.loads(out.read_text())
    found = np.stack([heads[name] for name in HUMANML3D.joint_names], axis=1)
    upright = found[..., [0, 2, 1]] * [1, 1, -1]  # Blender has Z up
    assert np.abs(upright - motion.joints).max() < 0.001


@pytest.mark.slow
def test_blender_converts_to_fbx(motion, tmp_path):
    if shutil.which("blender") is None:
        pytest.skip("Blender is absent")
    Fbx().write(motion, tmp_path / "clip.fbx")
    assert (tmp_path / "clip.fbx").read_bytes().startswith(b"Kaydara FBX Binary")
