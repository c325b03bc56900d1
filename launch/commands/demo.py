"""Ask a trained model of any method: sentences, or (MotionGPT) a file of prompts."""

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from motiongpt.errors import UserError
from motiongpt.printable import printable
from motiongpt.reading import read_bytes

if TYPE_CHECKING:
    from motiongpt.api.demo.lines import DemoLine

Read = TypeVar("Read")

EXAMPLES = """example of a file of prompts, one a line; the first has the ID 0:
  Generate a motion: a person walks in a circle.
  Describe <motion> in words.#clips/walk.npy
  Predict motion: <Motion_Placeholder_s1>#clips/walk.npy
  Complete the masked motion: <Motion_Placeholder_Masked>#clips/walk.npy

In the words, <motion> is the motion of the file after '#' (.npy of joints in metres or of features,
.npz, .bvh), <Motion_Placeholder_s1> its first fifth, <Motion_Placeholder_s2> the rest,
<Motion_Placeholder_Masked> all of it with its middle half masked. A file's path is taken from the
folder of the prompts, then from the working directory. Words alone are read by the model as they
stand; with --captions, and where they are typed, they describe the motion that is wanted.

For each line: ID_in.txt what the model read, ID_out.txt its output, ID_in.npy and ID_out.npy
joints (frames, joints, 3) in metres, with 0 frames where there is no motion.

examples:
  motiongpt demo "a person walks forward" --out walk
  motiongpt demo outputs "a person walks in a circle" --out walk
  motiongpt demo outputs "a person sits down" --bvh --clean feet,smooth
  motiongpt demo outputs --task pred --example prompts.txt --out results --pictures
"""


def main(arguments: Sequence[str]) -> int:
    """Ask and write; 1 if a line could not be asked."""
    options = _parser().parse_args(arguments)
    _take_small(options)
    if bool(options.text) == bool(options.example):
        raise UserError('give a sentence, as "a person walks in a circle", or --example FILE')
    from motiongpt.motion.cleaning import checked_steps

    checked_steps(options.clean)
    from motiongpt.api.demo.batch import run_lines
    from motiongpt.api.demo.results import write_outcome
    from motiongpt.api.demo.sentences import run_sentences
    from motiongpt.api.inputs import seed_of
    from motiongpt.api.motiongpt import MotionGPT, load

    seed_of(options.seed)
    model = load(options.model, options.device, keep_memory=True)
    if isinstance(model, MotionGPT):
        numbered = _lines(options)
        if options.precision:
            model = MotionGPT(model.opened, options.precision)
        origins, lines = zip(*numbered, strict=True)
        outcomes = run_lines(model, lines, options.frames, options.seed, options.decoding)
    else:
        origins, sentences = zip(*_sentences(options, model.method.name), strict=True)
        outcomes = run_sentences(model, sentences, options.frames, options.seed)
    asked = [one.line.words for one in outcomes if one.line is not None and one.line.is_caption]
    for doubt in model.doubts(asked) if asked else ():
        print(printable(f"warning: {doubt}"), file=sys.stderr)
    pictures = options.pictures or ("webp" if options.text else None)
    failed = 0
    for number, (origin, outcome) in enumerate(zip(origins, outcomes, strict=True)):
        write_outcome(
            options.out, number, outcome, model.skeleton, pictures, options.bvh, options.clean
        )
        failed += bool(outcome.problem)
        if outcome.problem:
            print(printable(f"{origin} (ID {number}): {outcome.problem}"), file=sys.stderr)
        else:
            said = f"{outcome.motion.frames} frames" if outcome.motion else outcome.text
            print(printable(f"{number}: {said}"))
    print(f"{len(outcomes) - failed} of {len(outcomes)} done, in {options.out}")
    return 1 if failed else 0


def _take_small(options: argparse.Namespace) -> None:
    """A sentence where the model is expected is asked of the small model."""
    from motiongpt.published.small import SMALL

    if not options.text and not options.example and " " in options.model.strip():
        options.text, options.model = [options.model], SMALL


def _lines(options: argparse.Namespace) -> "list[tuple[str, DemoLine | UserError]]":
    """Where each line stands, and the line, or why it can't be read."""
    from motiongpt.api.demo.lines import read_line

    folders, captions = [Path.cwd()], True
    if options.example:
        folders = list(dict.fromkeys([options.example.absolute().parent, Path.cwd()]))
        captions = options.captions
    return _each(options, lambda line: read_line(line, folders, options.task, captions))


def _each(
    options: argparse.Namespace, read: "Callable[[bytes | str], Read]"
) -> "list[tuple[str, Read | UserError]]":
    """Each typed sentence or line of the file: where it stands, and what `read` makes of it."""
    from motiongpt.api.demo.lines import numbered_lines

    raw: list[tuple[str, bytes | str]] = [
        (f"text {number}", text) for number, text in enumerate(options.text)
    ]
    if options.example:
        try:
            content = read_bytes(options.example)
        except OSError as error:
            raise UserError(
                f"{options.example}: cannot read the prompts: {error.strerror}"
            ) from error
        raw = [(f"{options.example}:{number}", line) for number, line in numbered_lines(content)]
    if not raw:
        raise UserError(f"{options.example}: no line with words")
    found: list[tuple[str, Read | UserError]] = []
    for origin, line in raw:
        try:
            found.append((origin, read(line)))
        except UserError as error:
            found.append((origin, error))
    return found


def _sentences(options: argparse.Namespace, method: str) -> "list[tuple[str, str | UserError]]":
    """Typed sentences, or the lines of a file of captions: what every method reads alike."""
    from motiongpt.api.demo.lines import read_sentence

    for name in ("decoding", "precision", "task"):
        if getattr(options, name):
            raise UserError(f"--{name}: method {method} has no such choice; leave it out")
    return _each(options, read_sentence)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="motiongpt demo",
        usage="motiongpt demo MODEL --example FILE [options]\n"
        "       motiongpt demo MODEL TEXT ... [options]\n"
        "       motiongpt demo TEXT [options]     (by the small model)",
        description=__doc__,
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "model",
        metavar="MODEL",
        help="a model folder, a run folder, an experiment's root, OWNER/NAME on the hub, or small, "
        "which comes with the package",
    )
    parser.add_argument("text", nargs="*", metavar="TEXT", help="what the person is to do")
    parser.add_argument("--example", type=Path, metavar="FILE", help="prompts, one a line")
    parser.add_argument(
        "--task",
        choices=("t2m", "m2t", "pred", "inbetween"),
        help="of all lines; without it each line's placeholders say what it asks",
    )
    parser.add_argument(
        "--out", type=Path, default=Path("demo"), metavar="FOLDER", help="default: demo"
    )
    parser.add_argument(
        "--captions", action="store_true", help="words alone describe the motion that is wanted"
    )
    parser.add_argument(
        "--frames",
        type=int,
        help="length of every motion; without it that of the line's motion, or the model ends",
    )
    parser.add_argument("--seed", type=int, default=0, help="same seed, same outputs; default: 0")
    parser.add_argument(
        "--decoding",
        choices=("sampling", "greedy", "beams"),
        help="default: drawn for t2m, greedy for m2t, beams for pred and inbetween; drawn where "
        "the lines ask different things",
    )
    parser.add_argument(
        "--pictures",
        nargs="?",
        const="webp",
        choices=("webp", "gif"),
        help="draw an animation and a strip of poses; a typed sentence is always drawn",
    )
    parser.add_argument("--bvh", action="store_true", help="write ID_out.bvh too")
    parser.add_argument(
        "--clean",
        default="",
        metavar="feet,smooth",
        help="lock standing feet and take trembling away in pictures and BVH; .npy stays as "
        "generated",
    )
    parser.add_argument("--device", help="cpu, cuda, ...; default: a GPU where there is one")
    parser.add_argument(
        "--precision",
        choices=("float32", "bfloat16"),
        help="default: the faster one on this machine",
    )
    return parser
