"""What joints are called: side and part of the body in the names that programs give them.

Names of many rigs follow a few habits: `mixamorig:LeftUpLeg`, `CC_Base_L_Thigh`, `lThigh`,
`thigh_l`, `Bip01 L Thigh`, `lfemur`.
"""

import re

LEFT, RIGHT = "left", "right"
_SIDES = {"left": LEFT, "l": LEFT, "lft": LEFT, "right": RIGHT, "r": RIGHT, "rgt": RIGHT}
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_NAMESPACE = re.compile(r"^.*[:|]")

FOOT = frozenset(("foot", "ankle"))
KNEE = frozenset(("knee", "calf", "shin", "shank", "tibia"))
TOE = frozenset(("toe", "toes", "toebase", "ball"))
HAND = frozenset(("hand", "wrist"))
ELBOW = frozenset(("elbow", "forearm", "radius"))
HEAD = frozenset(("head", "skull"))
_PARTS = (
    FOOT
    | KNEE
    | TOE
    | HAND
    | ELBOW
    | frozenset(
        (
            "femur",
            "humerus",
            "clavicle",
            "thigh",
            "collar",
            "shoulder",
            "hip",
            "arm",
            "leg",
            "shldr",
        )
    )
)
# Joints beside the chains of the body: what twists the skin, controls, fingers, face, props.
_ASIDE = frozenset(
    (
        *("twist", "roll", "share", "sharebone", "helper", "dummy", "nub", "end", "tip", "top"),
        *("ik", "fk", "pole", "ctrl", "control", "target", "prop", "weapon", "site", "null"),
        *("thumb", "index", "mid", "middle", "ring", "pinky", "little", "finger", "fingers"),
        *("eye", "jaw", "brow", "tongue", "teeth", "hair", "ear", "breast", "in"),
    )
)


def words_of(name: str) -> list[str]:
    """The words of a joint's name in small letters, without a character's name before `:` or `|`.

    A side that is written to a known part is parted from it: `lfemur` is `l` and `femur`.
    """
    found = [word.lower() for word in _WORD.findall(_NAMESPACE.sub("", name))]
    parted: list[str] = []
    for word in found:
        side = next((one for one in (LEFT, RIGHT) if word.startswith(one)), word[0])
        of_part = word[1:] in _PARTS and side in "lr"
        known = of_part or (len(side) > 1 and word != side)
        parted += [side, word[len(side) :]] if known else [word]
    return parted


def side_of(name: str) -> str | None:
    """LEFT, RIGHT, or None for a joint of the middle."""
    sides = {_SIDES[word] for word in words_of(name) if word in _SIDES}
    return sides.pop() if len(sides) == 1 else None


def is_called(name: str, part: frozenset[str]) -> bool:
    """Whether one of the words is of `part`, or ends in one: `leftfoot`, `lowerforearm`."""
    return any(word in part or word.endswith(tuple(part)) for word in words_of(name))


def is_aside(name: str) -> bool:
    """Whether the joint is none of the body's chains, but hangs beside or between them."""
    return any(word.rstrip("0123456789") in _ASIDE for word in words_of(name))
