"""Fit a body to joints: SMPL, SMPL-H, SMPL-X or the free one; parameters, vertices, meshes."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from motiongpt.errors import UserError
from motiongpt.printable import printable

if TYPE_CHECKING:
    from motiongpt.bodies.base import Body

ENDINGS = (".npy", ".npz", ".bvh")
BODIES = ("free", "smpl", "smplh", "smplx")
EXAMPLES = """For each motion NAME: OUT/NAME.npz with rotations and shape (AMASS's layout for the
SMPL family), and where they are asked for OUT/NAME.vertices.npy and OUT/NAME/00000.ply …
The same command goes on where it was interrupted. motiongpt/bodies/README.md says which files the
SMPL family needs, and under which terms.

examples:
  motiongpt fit walk.npy fitted --ply
  motiongpt fit demo fitted --body smplx --body-models body_models --vertices
"""


def main(arguments: Sequence[str]) -> int:
    """Fit and write; 1 if a motion could not be fitted."""
    options = _parser().parse_args(arguments)
    for name in ("batch", "steps"):
        if getattr(options, name) < 1:
            raise UserError(f"--{name} {getattr(options, name)}: expected 1 or more")
    if options.out.exists() and not options.out.is_dir():
        raise UserError(f"{options.out}: a file; name a folder for the results")
    files = _files(options.motions)
    import torch
    from tqdm import tqdm

    from motiongpt.api.motion_file import read_motion
    from motiongpt.bodies.fitting import FitOptions
    from motiongpt.bodies.folder import Written, fit_files, named

    device = options.device or ("cuda" if torch.cuda.is_available() else "cpu")
    above = options.motions if options.motions.is_dir() else options.motions.parent
    body, names = _body(options, device), named(files, above)
    bar = tqdm(total=len(files), unit="clip", disable=None)
    outcomes = fit_files(
        body,
        names,
        options.out,
        lambda path: read_motion(path, options.fps if path.suffix.lower() == ".npy" else None),
        FitOptions(steps=options.steps),
        Written(options.vertices, options.ply),
        options.batch,
        device,
        lambda step: bar.set_postfix(step=f"{step + 1}/{options.steps}"),
    )
    errors: list[float] = []
    there, problems = 0, []
    with bar:
        for outcome in outcomes:
            bar.update()
            if outcome.problem is not None:
                problems.append(outcome.problem)
            elif outcome.fitted is None:
                there += 1
            else:
                errors.append(outcome.fitted.error)
    return _tell(options.out, errors, there, problems, len(files))


def _tell(out: Path, errors: list[float], there: int, problems: list[str], files: int) -> int:
    if problems and files == 1:
        raise UserError(problems[0])
    for problem in problems:
        print(printable(problem), file=sys.stderr)
    said = f", {there} there already" if there else ""
    if errors:
        mean, worst = (1000 * one for one in (sum(errors) / len(errors), max(errors)))
        said += f", joints {mean:.1f} mm from the given ones on average, {worst:.1f} in one clip"
    print(f"{len(errors)} of {files} fitted{said}; in {out}")
    return 1 if problems else 0


def _body(options: argparse.Namespace, device: str) -> "Body":
    if options.body == "free":
        if options.body_models is not None:
            raise UserError("--body-models: the free body needs none; name the body as --body")
        from motiongpt.bodies.free_body import FreeBody

        return FreeBody(device=device)
    from motiongpt.bodies.smpl_body import load_smpl

    return load_smpl(options.body_models, options.body, options.gender, device)


def _files(given: Path) -> list[Path]:
    if given.is_file():
        if given.suffix.lower() not in ENDINGS:
            raise UserError(f"{given}: expected a file that ends in {', '.join(ENDINGS)}")
        return [given]
    found = sorted(
        path
        for path in given.rglob("*")
        if path.suffix.lower() in ENDINGS and path.is_file() and path.name[:1] != "."
    )
    if not found:
        there = "no motion in it" if given.is_dir() else "no such file or folder"
        raise UserError(f"{given}: {there}; expected {', '.join(ENDINGS)}")
    return found


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="motiongpt fit",
        description=__doc__,
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "motions", type=Path, metavar="IN", help="a motion (.npy .npz .bvh), or a folder of them"
    )
    parser.add_argument("out", type=Path, metavar="OUT", help="folder of the results")
    parser.add_argument("--body", choices=BODIES, default=BODIES[0], help="default: free")
    parser.add_argument(
        "--body-models", type=Path, metavar="FOLDER", help="where the SMPL family's files lie"
    )
    parser.add_argument(
        "--gender",
        choices=("neutral", "male", "female"),
        default="neutral",
        help="of the SMPL family's file; default: neutral",
    )
    parser.add_argument("--vertices", action="store_true", help="write (T, V, 3) metres as .npy")
    parser.add_argument("--ply", action="store_true", help="write a mesh a frame")
    parser.add_argument("--fps", type=float, help="of .npy files, which don't say; default: 20")
    parser.add_argument("--batch", type=int, default=32, help="clips fitted at once; default: 32")
    parser.add_argument("--steps", type=int, default=100, help="of the optimiser; default: 100")
    parser.add_argument("--device", help="cpu, cuda, …; default: a GPU where there is one")
    return parser
