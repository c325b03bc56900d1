"""USD: read back by Pixar's own library, which also says where the skin goes."""

import numpy as np
import pytest
import torch

from motiongpt.bodies.fitting import FitOptions, fit
from motiongpt.bodies.free_body import FreeBody
from motiongpt.errors import UserError
from motiongpt.export.formats.usd import UsdFile
from motiongpt.motion.sequence import MotionSequence
from motiongpt.motion.skeleton import HUMANML3D, KIT
from tests.unit.bodies.stand_ins import made_up_clip

pytest.importorskip("pxr", reason="usd-core is absent: pip install '.[usd]'")


@pytest.fixture(scope="module")
def motion():
    return MotionSequence.from_joints(made_up_clip(6), 30.0, ["a person bends “knees”"])


@pytest.fixture(scope="module", params=[".usd", ".usda"])
def stage(motion, tmp_path_factory, request):
    from pxr import Usd

    path = tmp_path_factory.mktemp("usd") / f"clip{request.param}"
    UsdFile().write(motion, path)
    return Usd.Stage.Open(str(path))


def test_joints_are_where_the_motion_has_them(stage, motion):
    from pxr import UsdSkel

    assert (stage.GetStartTimeCode(), stage.GetEndTimeCode()) == (0, 5)
    assert stage.GetTimeCodesPerSecond() == 30
    cache = UsdSkel.Cache()
    query = cache.GetSkelQuery(UsdSkel.Skeleton.Get(stage, "/body/skeleton"))
    assert [str(one).split("/")[-1] for one in query.GetJointOrder()] == [*HUMANML3D.joint_names]
    for frame in range(6):
        moves = np.array(query.ComputeJointSkelTransforms(frame))
        assert np.abs(moves[:, 3, :3] - motion.joints[frame]).max() < 0.001


def test_the_skin_goes_where_the_body_has_it(stage, motion):
    from pxr import Gf, Usd, UsdGeom, UsdSkel, Vt

    cache = UsdSkel.Cache()
    root = UsdSkel.Root.Get(stage, "/body")
    cache.Populate(root, Usd.PrimDefaultPredicate)
    skin = UsdGeom.Mesh.Get(stage, "/body/skin")
    query = cache.GetSkelQuery(UsdSkel.Skeleton.Get(stage, "/body/skeleton"))
    moves = query.ComputeSkinningTransforms(4)
    found = Vt.Vec3fArray(skin.GetPointsAttr().Get())
    skinning = cache.GetSkinningQuery(skin.GetPrim())
    assert skinning.ComputeSkinnedPoints(moves, found, 4)
    body = FreeBody()
    (fitted,) = fit(body, [motion.joints], motion.fps, FitOptions(steps=0))
    shape, turns, place = (
        torch.from_numpy(one)
        for one in (fitted.motion.shape, fitted.motion.rotations[4:5], fitted.motion.root[4:5])
    )
    right = body.vertices(shape, turns, place)[0].numpy()
    assert np.abs(np.array(found) - right).max() < 1e-4
    assert Gf.Matrix4d(1.0) == skinning.GetGeomBindTransform()


def test_what_cannot_be_written_is_one_line_and_leaves_nothing(motion, tmp_path, monkeypatch):
    kit = MotionSequence(np.random.default_rng(0).normal(size=(4, 21, 3)), 12.5, (), KIT)
    with pytest.raises(UserError, match=r"kit's 21: write \.bvh"):
        UsdFile().write(kit, tmp_path / "kit.usd")
    monkeypatch.setattr("motiongpt.export.formats.usd.find_spec", lambda name: None)
    with pytest.raises(UserError, match=r"usd-core, which is absent: pip install"):
        UsdFile().write(motion, tmp_path / "clip.usd")
    assert not list(tmp_path.iterdir())
