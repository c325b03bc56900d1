"""ASF and AMC files written for tests: a body with the names of CMU's skeletons."""

import numpy as np

UNITS = ":units\n  mass 1.0\n  length 0.45\n  angle deg\n"
ROOT = ":root\n   order TX TY TZ RX RY RZ\n   axis XYZ\n   position 0 0 0\n   orientation 0 0 0\n"
# Name: parent, from its beginning to its end in centimetres, its axes in degrees, and its turns.
BODY = {
    "lhipjoint": ("root", (9, -7, 0), (0, 0, 0), ""),
    "lfemur": ("lhipjoint", (3, -40, 0), (0, 0, 20), "rx ry rz"),
    "ltibia": ("lfemur", (2, -38, 0), (0, 0, 20), "rx"),
    "lfoot": ("ltibia", (0, -7, 13), (-90, 0, 20), "rx rz"),
    "ltoes": ("lfoot", (0, 0, 6), (-90, 0, 20), "rx"),
    "rhipjoint": ("root", (-9, -7, 0), (0, 0, 0), ""),
    "rfemur": ("rhipjoint", (-3, -40, 0), (0, 0, -20), "rx ry rz"),
    "rtibia": ("rfemur", (-2, -38, 0), (0, 0, -20), "rx"),
    "rfoot": ("rtibia", (0, -7, 13), (-90, 0, -20), "rx rz"),
    "rtoes": ("rfoot", (0, 0, 6), (-90, 0, -20), "rx"),
    "lowerback": ("root", (0, 12, 0), (0, 0, 0), "rx ry rz"),
    "upperback": ("lowerback", (0, 12, 0), (0, 0, 0), "rx ry rz"),
    "thorax": ("upperback", (0, 12, 0), (0, 0, 0), "rx ry rz"),
    "lowerneck": ("thorax", (0, 10, 0), (0, 0, 0), "rx ry rz"),
    "upperneck": ("lowerneck", (0, 10, 0), (0, 0, 0), "rx ry rz"),
    "head": ("upperneck", (0, 10, 0), (0, 0, 0), "rx ry rz"),
    "lclavicle": ("thorax", (17, 5, 0), (0, 0, 0), "ry rz"),
    "lhumerus": ("lclavicle", (28, 0, 0), (180, 30, 90), "rx ry rz"),
    "lradius": ("lhumerus", (20, 0, 0), (180, 30, 90), "rx"),
    "lwrist": ("lradius", (9, 0, 0), (180, 30, 90), "ry"),
    "rclavicle": ("thorax", (-17, 5, 0), (0, 0, 0), "ry rz"),
    "rhumerus": ("rclavicle", (-28, 0, 0), (180, -30, -90), "rx ry rz"),
    "rradius": ("rhumerus", (-20, 0, 0), (180, -30, -90), "rx"),
    "rwrist": ("rradius", (-9, 0, 0), (180, -30, -90), "ry"),
}
PER_CENTIMETRE = 0.45 / 2.54  # units of the files


def bone(name, offset, axis=(0, 0, 0), dof="rx ry rz", scale=PER_CENTIMETRE) -> str:
    """The section of one bone."""
    vector = np.array(offset, float)
    length = float(np.linalg.norm(vector))
    direction = " ".join(f"{value:.8f}" for value in vector / length)
    turns = f"     dof {dof}\n     limits (-180 180)\n" if dof else ""
    return (
        f"  begin\n     id 1\n     name {name}\n     direction {direction}\n"
        f"     length {length * scale:.8f}\n     axis {' '.join(map(str, axis))} XYZ\n{turns}  end\n"
    )


def asf(body=BODY, units=UNITS, root=ROOT) -> str:
    """A whole skeleton."""
    bones = "".join(bone(name, *rest) for name, (_, *rest) in body.items())
    parents = dict.fromkeys(parent for parent, *_ in body.values())
    lines = "".join(
        f"    {parent} {' '.join(name for name in body if body[name][0] == parent)}\n"
        for parent in parents
    )
    return (
        f"# a test\n:version 1.10\n:name VICON\n{units}:documentation\n   root of all\n{root}"
        f":bonedata\n{bones}:hierarchy\n  begin\n{lines}  end\n"
    )


def amc(n_frames=60, seed=0, body=BODY, head=":FULLY-SPECIFIED\n:DEGREES\n") -> str:
    """A motion in which every bone turns a little, and the root wanders at the height of a pelvis.

    Args:
        seed: of the motion; None for a body at rest.
    """
    rng = np.random.default_rng(seed)
    frames = []
    for frame in range(1, n_frames + 1):
        wander = np.array([frame * 0.02, 17.0, frame * 0.05])
        lines = [str(frame), "root " + _numbers([*wander, *_angles(rng, seed, 3)])]
        lines += [
            f"{name} " + _numbers(_angles(rng, seed, len(turns.split())))
            for name, (*_, turns) in body.items()
            if turns
        ]
        frames += lines
    return f"#!OML:ASF F:\\VICON\\test.ASF\n{head}" + "\n".join(frames) + "\n"


def _angles(rng, seed, count):
    return [0.0] * count if seed is None else rng.normal(0, 8, count)


def _numbers(values) -> str:
    return " ".join(f"{value:.6f}" for value in values)
