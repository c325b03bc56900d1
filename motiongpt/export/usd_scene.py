"""A body's motion as a USD stage: a skinned mesh under a SkelRoot, its skeleton, its animation.

How UsdSkel wants it: https://openusd.org/release/api/_usd_skel__schemas.html. The same rest pose,
joints and rotations as in skinned.py's glTF.
Shape letters: T frames, J joints, V vertices, K bones of a vertex.
"""

from pathlib import Path

import numpy as np
import torch
from pxr import Gf, Usd, UsdGeom, UsdSkel, Vt
from scipy.spatial.transform import Rotation

from motiongpt.bodies.base import BodyMotion
from motiongpt.bodies.free_body import FreeBody
from motiongpt.bodies.tree import N_JOINTS, NAMES, PARENTS, offsets_of
from motiongpt.export.skinned import COLOUR, normals
from motiongpt.export.worn_body import CREDIT

ROOT, SKIN, SKELETON, ANIMATION = "/body", "/body/skin", "/body/skeleton", "/body/motion"


def write_usd(path: Path, body: FreeBody, motion: BodyMotion, caption: str = "") -> None:
    """Write a `.usd`, `.usda` or `.usdc` file of the free body's motion; Y up, metres."""
    skin, rest = body.rest_vertices(torch.from_numpy(motion.shape))
    vertices, joints = skin.numpy(), rest.numpy()
    stage = Usd.Stage.CreateNew(str(path))
    UsdGeom.SetStageUpAxis(stage, UsdGeom.Tokens.y)
    UsdGeom.SetStageMetersPerUnit(stage, 1.0)
    stage.SetTimeCodesPerSecond(motion.fps)
    stage.SetFramesPerSecond(motion.fps)
    stage.SetStartTimeCode(0)
    stage.SetEndTimeCode(motion.frames - 1)
    root = UsdSkel.Root.Define(stage, ROOT)
    root.GetPrim().SetDocumentation(caption or "motion")
    root.GetPrim().SetCustomDataByKey("credit", CREDIT)
    stage.SetDefaultPrim(root.GetPrim())
    skeleton = _skeleton(stage, joints)
    _animation(stage, motion, joints)
    binding = UsdSkel.BindingAPI.Apply(skeleton.GetPrim())
    binding.CreateAnimationSourceRel().SetTargets([ANIMATION])
    _skin(stage, body, vertices)
    stage.Save()


def _skeleton(stage: Usd.Stage, joints: np.ndarray) -> UsdSkel.Skeleton:
    """The rest pose, whose joints' axes lie as the world's."""
    skeleton = UsdSkel.Skeleton.Define(stage, SKELETON)
    skeleton.CreateJointsAttr(_paths())
    skeleton.CreateBindTransformsAttr(_moves(joints))
    skeleton.CreateRestTransformsAttr(_moves(_within_parents(joints)))
    return skeleton


def _paths() -> list[str]:
    """Joints as UsdSkel names them: by their parents, as "pelvis/left_hip"."""
    found: list[str] = []
    for joint, name in enumerate(NAMES):
        found.append(f"{found[PARENTS[joint]]}/{name}" if joint else name)
    return found


def _within_parents(joints: np.ndarray) -> np.ndarray:
    """(J, 3) places of joints as seen from their parents; the pelvis as seen from the origin."""
    return np.concatenate([joints[:1], offsets_of(torch.from_numpy(joints)).numpy()])


def _moves(places: np.ndarray) -> Vt.Matrix4dArray:
    return Vt.Matrix4dArray([Gf.Matrix4d().SetTranslate(Gf.Vec3d(*row)) for row in places.tolist()])


def _animation(stage: Usd.Stage, motion: BodyMotion, joints: np.ndarray) -> None:
    animation = UsdSkel.Animation.Define(stage, ANIMATION)
    animation.CreateJointsAttr(_paths())
    animation.CreateScalesAttr(Vt.Vec3hArray([Gf.Vec3h(1, 1, 1)] * N_JOINTS))
    places = _within_parents(joints).astype(np.float32)
    translations, rotations = animation.CreateTranslationsAttr(), animation.CreateRotationsAttr()
    turns = Rotation.from_rotvec(motion.rotations.reshape(-1, 3).astype(np.float64)).as_quat()
    for frame, quaternions in enumerate(turns.reshape(motion.frames, N_JOINTS, 4).tolist()):
        places[0] = motion.root[frame]
        translations.Set(Vt.Vec3fArray.FromNumpy(places), frame)
        # the real part first, where scipy has it last
        rotations.Set(Vt.QuatfArray([Gf.Quatf(w, x, y, z) for x, y, z, w in quaternions]), frame)


def _skin(stage: Usd.Stage, body: FreeBody, vertices: np.ndarray) -> None:
    mesh = UsdGeom.Mesh.Define(stage, SKIN)
    mesh.CreatePointsAttr(Vt.Vec3fArray.FromNumpy(vertices.astype(np.float32)))
    mesh.CreateFaceVertexIndicesAttr(Vt.IntArray.FromNumpy(body.faces.ravel().astype(np.int32)))
    corners = np.full(len(body.faces), 3, np.int32)
    mesh.CreateFaceVertexCountsAttr(Vt.IntArray.FromNumpy(corners))
    mesh.CreateNormalsAttr(Vt.Vec3fArray.FromNumpy(normals(vertices, body.faces)))
    mesh.SetNormalsInterpolation(UsdGeom.Tokens.vertex)
    mesh.CreateSubdivisionSchemeAttr(UsdGeom.Tokens.none)
    mesh.CreateDisplayColorAttr([Gf.Vec3f(*COLOUR[:3])])
    mesh.CreateExtentAttr(UsdGeom.PointBased.ComputeExtent(mesh.GetPointsAttr().Get()))
    weights = body.weights.numpy()
    bones = np.where(weights > 0, body.bones.numpy(), 0)
    binding = UsdSkel.BindingAPI.Apply(mesh.GetPrim())
    binding.CreateSkeletonRel().SetTargets([SKELETON])
    binding.CreateJointIndicesPrimvar(False, weights.shape[1]).Set(
        Vt.IntArray.FromNumpy(bones.ravel().astype(np.int32))
    )
    binding.CreateJointWeightsPrimvar(False, weights.shape[1]).Set(
        Vt.FloatArray.FromNumpy(weights.ravel().astype(np.float32))
    )
    binding.CreateGeomBindTransformAttr(Gf.Matrix4d(1.0))
