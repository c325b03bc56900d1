"""Upload a model folder to the Hugging Face hub, with a model card."""

import argparse
from collections.abc import Sequence
from pathlib import Path

from motiongpt.published.hub import push_to_hub

EXAMPLES = """examples:
  hf auth login                                     # once
  motiongpt push motiongpt_s3_h3d OWNER/NAME
  motiongpt push my_model OWNER/NAME --private

Whether the weights may be passed on is a question of their licence and of the data's.
"""


def main(arguments: Sequence[str]) -> int:
    """Upload, and say where it is."""
    parser = argparse.ArgumentParser(
        prog="motiongpt push",
        description=__doc__,
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("folder", type=Path, help="a model folder")
    parser.add_argument("repository", metavar="OWNER/NAME", help="is made if there is none")
    parser.add_argument("--private", action="store_true", help="make it for yourself alone")
    options = parser.parse_args(arguments)
    print(push_to_hub(options.folder, options.repository, options.private))
    return 0
