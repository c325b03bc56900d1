"""Score what was predicted, without the model: captions in a file, or saved predictions."""

import argparse
import importlib
from collections.abc import Sequence

KINDS = {"captions": "launch.score_captions", "predictions": "launch.score_predictions"}
EXAMPLES = """examples:
  motiongpt score captions --references test.jsonl --predictions ours.jsonl
  motiongpt score predictions my_system data=humanml3d protocol=guo2022

More: motiongpt score captions --help, motiongpt score predictions --help
"""


def main(arguments: Sequence[str]) -> int:
    """Run one of captions and predictions."""
    parser = argparse.ArgumentParser(
        prog="motiongpt score",
        description=__doc__,
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("what", choices=list(KINDS), help="what was predicted")
    what = parser.parse_args(arguments[:1]).what
    return int(importlib.import_module(KINDS[what]).main(arguments[1:]))
