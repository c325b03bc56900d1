"""A body's motion as a glTF scene: a skinned mesh, its joints, and their animation.

The rest pose is the body's own; joints turn within their parents, the pelvis moves too.
Shape letters: T frames, J joints, V vertices, K bones of a vertex.
"""

from typing import Any

import numpy as np
import torch
from scipy.spatial.transform import Rotation

from motiongpt.bodies.base import BodyMotion
from motiongpt.bodies.free_body import FreeBody
from motiongpt.bodies.tree import ENDS, N_JOINTS, NAMES, children_of, offsets_of
from motiongpt.export.gltf import ARRAY_BUFFER, ELEMENT_ARRAY_BUFFER, Buffer, glb_bytes
from motiongpt.export.worn_body import CREDIT

COLOUR = [0.55, 0.62, 0.72, 1.0]
FIRST = 1  # node of the pelvis; node 0 is the mesh


def skinned_glb(body: FreeBody, motion: BodyMotion, caption: str = "") -> bytes:
    """A `.glb` file of the free body's motion."""
    skin, rest = body.rest_vertices(torch.from_numpy(motion.shape))
    vertices, joints = skin.numpy(), rest.numpy()
    buffer = Buffer()
    document = {
        "asset": {
            "version": "2.0",
            "generator": "motiongpt-platform",
            "copyright": CREDIT,
        },
        "scene": 0,
        "scenes": [{"name": "motion", "nodes": [0, FIRST]}],
        "nodes": [{"name": "body", "mesh": 0, "skin": 0}, *_joint_nodes(joints)],
        "meshes": [{"name": "body", "primitives": [_primitive(body, vertices, buffer)]}],
        "materials": [
            {
                "name": "skin",
                "pbrMetallicRoughness": {
                    "baseColorFactor": COLOUR,
                    "metallicFactor": 0.0,
                    "roughnessFactor": 0.8,
                },
            }
        ],
        "skins": [
            {
                "inverseBindMatrices": buffer.add(_inverse_bind_matrices(joints)),
                "skeleton": FIRST,
                "joints": [FIRST + joint for joint in range(N_JOINTS)],
            }
        ],
        "animations": [_animation(motion, buffer, caption)],
    }
    return glb_bytes(document, buffer)


def _joint_nodes(joints: np.ndarray) -> list[dict[str, Any]]:
    offsets = offsets_of(torch.from_numpy(joints)).numpy()
    nodes = []
    for joint, name in enumerate(NAMES):
        place = offsets[joint - 1] if joint else joints[0]
        node: dict[str, Any] = {"name": name, "translation": place.tolist()}
        if joint not in ENDS:
            node["children"] = [FIRST + child for child in children_of(joint)]
        nodes.append(node)
    return nodes


def _primitive(body: FreeBody, vertices: np.ndarray, buffer: Buffer) -> dict[str, Any]:
    weights = body.weights.numpy()
    bones = np.where(weights > 0, body.bones.numpy(), 0)
    places = vertices.astype("<f4")
    return {
        "attributes": {
            "POSITION": buffer.add(places, ARRAY_BUFFER, limits=True),
            "NORMAL": buffer.add(normals(vertices, body.faces), ARRAY_BUFFER),
            "JOINTS_0": buffer.add(bones.astype("u1"), ARRAY_BUFFER),
            "WEIGHTS_0": buffer.add(weights.astype("<f4"), ARRAY_BUFFER),
        },
        "indices": buffer.add(body.faces.ravel().astype("<u2"), ELEMENT_ARRAY_BUFFER),
        "material": 0,
    }


def normals(vertices: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """Unit normals (V, 3) float32 of vertices (V, 3): means of their faces', by area."""
    corners = vertices.astype(np.float64)[faces]
    across = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    sums = np.zeros(vertices.shape)
    for corner in range(3):
        np.add.at(sums, faces[:, corner], across)
    lengths = np.linalg.norm(sums, axis=1, keepdims=True)
    upwards = np.broadcast_to([0.0, 1.0, 0.0], sums.shape)
    return np.where(lengths > 0, sums / np.maximum(lengths, 1e-30), upwards).astype("<f4")


def _inverse_bind_matrices(joints: np.ndarray) -> np.ndarray:
    """(J, 4, 4): from the mesh to a joint's axes, which lie as the world's."""
    matrices = np.tile(np.eye(4, dtype="<f4"), (N_JOINTS, 1, 1))
    matrices[:, :3, 3] = -joints
    return matrices


def _animation(motion: BodyMotion, buffer: Buffer, caption: str) -> dict[str, Any]:
    times = buffer.add((np.arange(motion.frames) / motion.fps).astype("<f4"), limits=True)
    samplers: list[dict[str, Any]] = []
    channels = []

    def move(joint: int, path: str, values: np.ndarray) -> None:
        samplers.append({"input": times, "output": buffer.add(values.astype("<f4"))})
        target = {"node": FIRST + joint, "path": path}
        channels.append({"sampler": len(samplers) - 1, "target": target})

    move(0, "translation", motion.root)
    for joint in range(N_JOINTS):
        if joint not in ENDS:
            move(joint, "rotation", _quaternions(motion.rotations[:, joint]))
    return {"name": caption or "motion", "samplers": samplers, "channels": channels}


def _quaternions(vectors: np.ndarray) -> np.ndarray:
    """(T, 4) unit quaternions, w last, each on the side of the one before."""
    found = Rotation.from_rotvec(vectors.astype(np.float64)).as_quat()
    turned = np.cumprod(np.where((found[1:] * found[:-1]).sum(1) < 0, -1.0, 1.0))
    found[1:] *= turned[:, None]
    return found
