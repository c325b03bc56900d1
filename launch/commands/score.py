"""Score what was predicted, without the model: captions in a file, or saved predictions."""

import argparse
from collections.abc import Sequence

from launch import score_captions, score_predictions


def main(arguments: Sequence[str]) -> int:
    """Run one of captions and predictions."""
    kinds = {"captions": score_captions.main, "predictions": score_predictions.main}
    parser = argparse.ArgumentParser(
        prog="motiongpt score",
        description=f"{__doc__} More: motiongpt score captions --help, score predictions --help.",
        epilog=score_captions.EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("what", choices=list(kinds), help="what was predicted")
    what = parser.parse_args(arguments[:1]).what
    return kinds[what](arguments[1:])
