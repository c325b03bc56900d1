"""`motiongpt data mapping`: a joint mapping for a file, as a yaml and a picture."""

import argparse
from pathlib import Path

import numpy as np

from motiongpt.data.bvh import read_bvh
from motiongpt.data.joint_mapping import load_mapping
from motiongpt.data.mapping_file import FoundMapping, find_mapping, mapping_text
from motiongpt.errors import UserError
from motiongpt.files import write_text
from motiongpt.motion.axes import from_z_up
from motiongpt.motion.skeleton import HUMANML3D
from motiongpt.printable import printable


def add_mapping_options(parser: argparse.ArgumentParser) -> None:
    """What the command takes."""
    parser.add_argument("bvh", type=Path, metavar="FILE", help="a BVH file of the capture")
    parser.add_argument("--out", type=Path, help="the yaml; default: FILE's name.mapping.yaml here")
    parser.add_argument("--picture", type=Path, help="the PNG; default: as the yaml, .png")
    parser.add_argument("--again", action="store_true", help="replace a yaml that is there")
    parser.add_argument(
        "--mapping", help="look at this mapping, a yaml or a shipped name: draws, writes no yaml"
    )


def mapping(options: argparse.Namespace) -> int:
    """Guess the 22 joints, unit and up axis of a BVH file; write a mapping and a picture of it."""
    bvh = read_bvh(options.bvh)
    given = load_mapping(options.mapping) if options.mapping else None
    out = options.out or Path(f"{options.bvh.stem}.mapping.yaml")
    if out.suffix not in (".yaml", ".yml"):
        raise UserError(f"--out {out}: a mapping is read from a file that ends in .yaml")
    if given is None and out.exists() and not options.again:
        raise UserError(f"{out} is there, perhaps edited: --again replaces it, --out names another")
    found = find_mapping(bvh, str(options.bvh), given)
    picture = options.picture or out.with_suffix(".png")
    parents = [joint.parent for joint in bvh.joints]
    _draw(found, parents, picture, str(options.bvh))
    if given is None:
        write_text(out, mapping_text(found.mapping, _comments(found, options.bvh)))
    for line in _lines(found, options, out, picture):
        print(printable(line))
    return 1 if found.doubts else 0


def _draw(found: FoundMapping, parents: list[int], picture: Path, title: str) -> None:
    from motiongpt.render.mapped_skeleton import draw_mapped  # loads matplotlib

    names = HUMANML3D.joint_names
    wrists = (
        found.joints[:, names.index("left_wrist")] - found.joints[:, names.index("right_wrist")]
    )
    pose = int(np.linalg.norm(wrists, axis=-1).argmax())  # arms apart cover nothing
    whole = found.positions[pose] * found.mapping.metres_per_unit
    if found.mapping.up_axis == "Z":
        whole = from_z_up(whole)
    draw_mapped(whole, parents, found.joints[pose], found.mapping.joints, picture, title)


def _comments(found: FoundMapping, file: Path) -> list[str]:
    origin = (
        f"the joints of the shipped mapping {found.shipped}"
        if found.shipped
        else "guessed by names and hierarchy"
    )
    return [
        f"Joint mapping of {printable(file.name)}: {origin}; what the names mean says",
        "motiongpt/data/README.md. Several joints in brackets: their mean.",
    ]


def _lines(found: FoundMapping, options: argparse.Namespace, out: Path, picture: Path) -> list[str]:
    units = found.units
    lines = []
    if options.mapping is None:
        for target, sources in found.mapping.joints.items():
            lines.append(f"  {target:<15} {' + '.join(sources)}")
    lines.append(
        f"unit: {found.mapping.metres_per_unit:g} metres ({units.unit}); up: "
        f"{found.mapping.up_axis}; legs {units.leg:.2f} m"
    )
    if found.shipped and not found.differs:
        lines.append(f"the shipped mapping {found.shipped!r} fits: such files need no other")
    elif found.differs:
        name = options.mapping or found.shipped
        lines.append(f"the body says otherwise than the mapping {name!r}: {found.differs}")
    lines += [f"warning: {doubt}" for doubt in found.doubts]
    written = [] if options.mapping else [str(out)]
    lines.append(f"written: {', '.join([*written, str(picture)])}; look at the picture")
    if options.mapping is None and (found.differs or not found.shipped):
        lines.append(f"use it: data=bvh_folder data.source.mapping={out}")
    return lines
