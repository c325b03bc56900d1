"""BVH files written for tests."""

from pathlib import Path

import numpy as np

from motiongpt.data.joint_mapping import load_mapping

ROOT_CHANNELS = ("Xposition", "Yposition", "Zposition", "Zrotation", "Xrotation", "Yrotation")
TURNS = ("Zrotation", "Xrotation", "Yrotation")


def joint(name, offset=(0, 10, 0), channels=TURNS, children=(), end=None, kind="JOINT") -> str:
    inner = "\n".join(children)
    if end is not None:
        inner += f"\nEnd Site\n{{\nOFFSET {' '.join(map(str, end))}\n}}"
    return (
        f"{kind} {name}\n{{\nOFFSET {' '.join(map(str, offset))}\n"
        f"CHANNELS {len(channels)} {' '.join(channels)}\n{inner}\n}}"
    )


def file(hierarchy: str, rows, frame_time="0.0333333", frames=None) -> str:
    lines = [" ".join(f"{value:.6f}" for value in row) for row in rows]
    count = len(lines) if frames is None else frames
    body = "\n".join(line for line in f"HIERARCHY\n{hierarchy}".splitlines() if line.strip())
    return f"{body}\nMOTION\nFrames: {count}\nFrame Time: {frame_time}\n" + "\n".join(lines) + "\n"


def stick(n_frames=40, mapping="bandai_namco", seed=0, leave_out=(), frame_time="0.0333333") -> str:
    """A body with the joints of a shipped mapping, all children of the root, that wobbles."""
    names = sorted({name for names in load_mapping(mapping).joints.values() for name in names})
    rng = np.random.default_rng(seed)
    scale = 0.01 / load_mapping(mapping).metres_per_unit
    offsets = {name: rng.uniform(10, 90, 3).round(3) for name in names}
    for name in load_mapping(mapping).joints["head"]:
        offsets[name][1] = 150
    children = [
        joint(name, offset=(offsets[name] * scale).round(3), channels=())
        for name in names
        if name not in leave_out
    ]
    rows = np.cumsum(rng.normal(0, 1.0, (n_frames, 6)), axis=0)
    hierarchy = joint("joint_Root", channels=ROOT_CHANNELS, children=children, kind="ROOT")
    return file(hierarchy, rows, frame_time)


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path
