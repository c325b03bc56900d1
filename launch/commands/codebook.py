"""See what a codec's codebook learnt: a page of its codes as motion, their use and their words."""

import argparse
from collections.abc import Sequence
from pathlib import Path

from motiongpt.errors import UserError

EXAMPLES = """The page is one file that opens from disk: each code as a small moving figure, decoded
between its most frequent neighbours and repeated, how often it is used, its nearest neighbours, a
map, and the words of the captions that go with it; residual codecs have a part for each codebook.

examples:
  motiongpt codebook outputs
  motiongpt codebook outputs/runs/tokenizer/SIGNATURE --out codes.html
  motiongpt codebook outputs/runs/instruct/SIGNATURE --clip 000042 --clip 000043
  motiongpt codebook outputs --sentence "a person kicks with the right foot"
  motiongpt codebook my_model --store outputs/data/humanml3d-1a2b3c4d --most-clips 2000
"""


def main(arguments: Sequence[str]) -> int:
    """Write the page; its path is the last line."""
    options = _parser().parse_args(arguments)
    if options.most_clips is not None and options.most_clips < 1:
        raise UserError(f"--most-clips {options.most_clips}: expected 1 or more")
    if options.out.is_dir() or options.out.suffix.lower() not in (".html", ".htm"):
        raise UserError(f"--out {options.out}: expected a file that ends in .html")
    from motiongpt.codebook.learnt import learnt_by
    from motiongpt.codebook.opening import open_codec
    from motiongpt.codebook.page import codebook_page
    from motiongpt.codebook.sentences import read_sentences
    from motiongpt.files import write_text

    opened = open_codec(options.run, options.store, options.device)
    sentences = read_sentences(
        options.run,
        options.sentence,
        opened.codec,
        opened.store.skeleton,
        options.seed,
        options.device,
    )
    learnt = learnt_by(opened, options.split, options.most_clips, options.clip, _say)
    page = codebook_page(learnt, f"Codebook of {opened.run}", sentences)
    options.out.parent.mkdir(parents=True, exist_ok=True)
    write_text(options.out, page)
    print(options.out)
    return 0


def _say(line: str) -> None:
    print(line, flush=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="motiongpt codebook",
        description=__doc__,
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "run",
        metavar="RUN",
        help="a finished run of a discrete codec or of a method that has one, a model folder, or "
        "an experiment's root",
    )
    parser.add_argument(
        "--out",
        type=Path,
        default=Path("codebook.html"),
        metavar="FILE",
        help="default: codebook.html",
    )
    parser.add_argument(
        "--clip",
        action="append",
        default=[],
        metavar="NAME",
        help="show this clip beside its tokens; as often as needed; default: three of the split",
    )
    parser.add_argument(
        "--sentence",
        action="append",
        default=[],
        metavar="TEXT",
        help="generate it, and show which words each code read; of a method whose model has "
        "attention from codes to words; as often as needed",
    )
    parser.add_argument("--seed", type=int, default=0, help="of the sentences; default: 0")
    parser.add_argument(
        "--split", default="train", choices=("train", "val", "test"), help="default: train"
    )
    parser.add_argument(
        "--most-clips",
        type=int,
        metavar="N",
        help="encode at most so many clips, spread evenly; default: all",
    )
    parser.add_argument(
        "--store",
        type=Path,
        metavar="FOLDER",
        help="motion store; default: the one that the codec was trained on",
    )
    parser.add_argument("--device", help="cpu, cuda, …; default: a GPU where there is one")
    return parser
