"""Upload a model folder to the Hugging Face hub, with a model card."""

import argparse
from collections.abc import Sequence
from pathlib import Path

from motiongpt.errors import UserError
from motiongpt.published.folder import DESCRIPTION

EXAMPLES = """examples:
  hf auth login                                     # once
  motiongpt push motiongpt_s3_h3d OWNER/NAME
  motiongpt push my_model OWNER/NAME --private
  motiongpt push outputs/runs/codec/SIGNATURE OWNER/NAME

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
    parser.add_argument("folder", type=Path, help="a model folder, or a finished run")
    parser.add_argument("repository", metavar="OWNER/NAME", help="is made if there is none")
    parser.add_argument("--private", action="store_true", help="make it for yourself alone")
    options = parser.parse_args(arguments)
    print(_pushed(options.folder, options.repository, options.private))
    return 0


def _pushed(folder: Path, repository: str, private: bool) -> str:
    """Address of the commit; a run is made a model folder first."""
    if (folder / DESCRIPTION).is_file():
        from motiongpt.published.hub import push_to_hub

        return push_to_hub(folder, repository, private)
    if not folder.is_dir():
        raise UserError(f"{folder}: no such folder; name a model folder or a finished run")
    from motiongpt.api.motiongpt import load

    return load(folder, "cpu").push_to_hub(repository, private)
