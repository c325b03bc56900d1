"""Turn a motion into a file: pages, pictures, films, BVH, GLB, arrays."""

import argparse
import re
from collections.abc import Sequence
from pathlib import Path

from motiongpt.errors import UserError
from motiongpt.export.base import as_kind
from motiongpt.export.known import known_formats
from motiongpt.motion.sequence import MotionSequence

EXAMPLES = """examples:
  motiongpt export demo/0_out.npy walk.bvh
  motiongpt export walk.npz walk.bvh names=mixamo unit=cm fps=60 clean=feet,smooth
  motiongpt export walk.bvh walk.webp walk.png size=480
  motiongpt export real.npy both.html --label real --beside generated=mine.npy
"""


COMMON = {
    "fps": (float, "frames per second; the motion's where it is not given"),
    "rigid": (bool, "bones of constant length: true but for .npy and .npz"),
    "clean": (str, "feet, smooth or feet,smooth: standing feet stay, trembling goes"),
}
"""Options of all files: their kind, and what they do."""


def main(arguments: Sequence[str]) -> int:
    """Read one file, write one or several."""
    options = _parser().parse_intermixed_args(arguments)
    words = [word for word in options.out if _is_option(word)]
    outs = [Path(word) for word in options.out if not _is_option(word)]
    if not outs:
        raise UserError("name the file to write, as walk.bvh")
    chosen = dict(word.split("=", 1) for word in words)
    from motiongpt.api.motion import Motion

    given_fps = None if options.fps is None else as_kind("--fps", options.fps, float)
    captions = [options.caption] if options.caption else None
    motion = Motion.from_file(options.motion, given_fps, captions)
    beside = _beside(options.beside, given_fps)
    common = {
        name: as_kind(name, chosen.pop(name), kind)
        for name, (kind, _) in COMMON.items()
        if name in chosen
    }
    for out in outs:
        print(motion.save(out, beside=beside, label=options.label, **common, **chosen))
    return 0


def _beside(words: Sequence[str], fps: float | None) -> dict[str, MotionSequence]:
    """Label -> motion; a file without a label has its name.

    Raises:
        UserError: a label that is there twice, or a file that can't be read.
    """
    from motiongpt.api.motion import Motion

    found: dict[str, MotionSequence] = {}
    for word in words:
        label, _, file = word.rpartition("=")
        label = label or Path(file).stem
        if label in found:
            raise UserError(f"--beside {word}: {label} is there already; write LABEL={file}")
        found[label] = Motion.from_file(file, fps)
    return found


def _is_option(word: str) -> bool:
    return re.match(r"[a-z_]+=", word) is not None


def _formats() -> str:
    """What can be written, and the options of each."""
    lines = ["options of all files:"]
    lines += [f"  {name + '=':<12} {said}" for name, (_, said) in COMMON.items()]
    lines += ["", "files, and the options of each:"]
    for one in dict.fromkeys(known_formats().values()):
        said = (one.__doc__ or "").partition("\n")[0]
        lines.append(f"  {' '.join(one.endings):<12} {said}")
        for name, field in one.options().items():
            choices = " | ".join(field.metadata["choices"])
            note = f" ({choices})" if choices else ""
            lines.append(f"      {name}={field.default}  {field.metadata['said']}{note}")
    return "\n".join(lines)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="motiongpt export",
        usage="motiongpt export IN OUT ... [OPTION=VALUE ...]",
        description=__doc__,
        epilog=f"{_formats()}\n\n{EXAMPLES}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("motion", metavar="IN", help="a motion: .npy, .npz or .bvh")
    parser.add_argument("out", nargs="+", metavar="OUT", help="files to write, and options")
    parser.add_argument("--fps", metavar="FPS", help="of an .npy file, which doesn't say")
    parser.add_argument("--caption", help="words above a picture, instead of the file's own")
    parser.add_argument(
        "--beside",
        metavar="LABEL=FILE",
        action="append",
        default=[],
        help="another motion, beside the first in a page or a picture; as often as needed",
    )
    parser.add_argument("--label", default="", help="of the first motion, where others are beside")
    return parser
