"""What other programs call the 22 joints of HumanML3D's skeleton.

Sources: the characters of Mixamo; the BVH release of CMU's captures by B. Hahne (cgspeed); the
joints of SMPL as the smplx package lists them, shortened as the Blender add-ons do; the mannequin
of Unreal Engine 4.
"""

from collections.abc import Mapping
from types import MappingProxyType

from motiongpt.errors import UserError
from motiongpt.motion.skeleton import HUMANML3D, Skeleton

OWN = "own"
_PARTS = ("hip", "knee", "ankle", "foot", "collar", "shoulder", "elbow", "wrist")


def _named(
    trunk: Mapping[str, str], left: tuple[str, ...], right: tuple[str, ...]
) -> dict[str, str]:
    """Our name -> theirs, in the order of the skeleton's joints."""
    sides = {f"left_{part}": name for part, name in zip(_PARTS, left, strict=True)}
    sides |= {f"right_{part}": name for part, name in zip(_PARTS, right, strict=True)}
    found = {**trunk, **sides}
    return {name: found[name] for name in HUMANML3D.joint_names}


def _both(pattern: str, parts: str, left: str, right: str) -> tuple[tuple[str, ...], ...]:
    return tuple(
        tuple(pattern.format(side=side, part=part) for part in parts.split())
        for side in (left, right)
    )


def _trunk(words: str) -> dict[str, str]:
    ours = ("pelvis", "spine1", "spine2", "spine3", "neck", "head")
    return dict(zip(ours, words.split(), strict=True))


_AUTODESK = "UpLeg Leg Foot ToeBase Shoulder Arm ForeArm Hand"
NAMES: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "mixamo": _named(
            {
                ours: f"mixamorig:{theirs}"
                for ours, theirs in _trunk("Hips Spine Spine1 Spine2 Neck Head").items()
            },
            *_both("mixamorig:{side}{part}", _AUTODESK, "Left", "Right"),
        ),
        "cmu": _named(
            _trunk("Hips LowerBack Spine Spine1 Neck1 Head"),
            *_both("{side}{part}", _AUTODESK, "Left", "Right"),
        ),
        "smpl": _named(
            _trunk("Pelvis Spine1 Spine2 Spine3 Neck Head"),
            *_both("{side}_{part}", "Hip Knee Ankle Foot Collar Shoulder Elbow Wrist", "L", "R"),
        ),
        "unreal": _named(
            _trunk("pelvis spine_01 spine_02 spine_03 neck_01 head"),
            *_both(
                "{part}_{side}",
                "thigh calf foot ball clavicle upperarm lowerarm hand",
                "l",
                "r",
            ),
        ),
    }
)
CHOICES = (OWN, *NAMES)


def names_of(skeleton: Skeleton, names: str) -> tuple[str, ...]:
    """Names of a skeleton's joints, in its order.

    Args:
        names: one of `CHOICES`; "own" is the skeleton's own.

    Raises:
        UserError: no such names, or a skeleton that has other joints than theirs.
    """
    if names == OWN:
        return skeleton.joint_names
    if names not in NAMES:
        raise UserError(f"names={names}: choose one of {', '.join(CHOICES)}")
    if skeleton.joint_names != HUMANML3D.joint_names:
        raise UserError(
            f"names={names}: they are of the joints of {HUMANML3D.name}, not of {skeleton.name}; "
            f"leave names={OWN}"
        )
    return tuple(NAMES[names].values())
