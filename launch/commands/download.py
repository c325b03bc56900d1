"""Fetch published weights, or a model folder from the Hugging Face hub."""

import argparse
import shutil
from collections.abc import Sequence
from pathlib import Path

from launch.commands.import_checkpoint import (
    add_options,
    default_folder,
    import_options,
    next_command,
)
from launch.composition.published_weights import known_weights, published_weights
from motiongpt.data.replace_folder import replacing_folder
from motiongpt.errors import UserError
from motiongpt.published.weights import PublishedWeights

EXAMPLES = """examples:
  motiongpt download                                # what there is
  motiongpt download motiongpt --to weights         # the checkpoint, and its statistics
  motiongpt download motiongpt --to weights --import
  motiongpt download OWNER/NAME --to my_model       # a model folder that `motiongpt push` made

An interrupted download goes on with the same command; a file is kept only if its checksum is right.
"""


def main(arguments: Sequence[str]) -> int:
    """Download, and say or do what comes next."""
    parser = argparse.ArgumentParser(
        prog="motiongpt download",
        description=__doc__,
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "name", nargs="?", help="of conf/published, or OWNER/NAME on the hub; none lists them"
    )
    parser.add_argument("--to", type=Path, metavar="FOLDER", help="where to; default ./NAME")
    parser.add_argument(
        "--import", action="store_true", dest="convert", help="then import the checkpoint"
    )
    parser.add_argument("--force", action="store_true", help="replace a model folder that is there")
    add_options(parser)
    options = parser.parse_args(arguments)
    if options.name is None:
        print("\n".join(_listed(one) for one in known_weights()))
        return 0
    if "/" in options.name:
        return _model_folder(options.name, options.to, options.force)
    weights = published_weights(options.name)
    folder = options.to or Path(weights.name)
    print(f"{weights.what}\nlicence: {weights.licence}", flush=True)
    file = weights.fetch(folder)
    given = options.statistics or options.store
    statistics = options.statistics if given else weights.fetch_statistics(folder)
    print(f"checkpoint: {file}")
    if not options.convert:
        print(f"import it: {_import_command(file, statistics)}")
        return 0
    # Converting weights loads torch; fetching them does not.
    from motiongpt.published.import_checkpoint import import_checkpoint
    from motiongpt.published.importers.base import ImportOptions

    asked = import_options(options, weights.codebook_size)
    complete = ImportOptions(statistics, asked.store, asked.text_tokenizer, asked.codebook_size)
    imported = import_checkpoint(
        file,
        default_folder(file),
        complete,
        options.force,
        further={"repository": weights.repository, "licence": weights.licence},
    )
    print(next_command(imported))
    return 0


def _model_folder(name: str, to: Path | None, force: bool) -> int:
    """Copy a model folder out of the hub's cache."""
    from motiongpt.published.folder import ModelFolder
    from motiongpt.published.hub import from_hub

    folder = to or Path(name.rpartition("/")[2])
    if folder.exists() and not force:
        raise UserError(f"{folder}: is there already; name another folder with --to, or --force")
    source = from_hub(name)
    with replacing_folder(folder) as new:
        shutil.copytree(source, new, dirs_exist_ok=True)
    print(next_command(ModelFolder.open(folder)))
    return 0


def _import_command(file: Path, statistics: Path | None) -> str:
    return f"motiongpt import-checkpoint {file} --statistics {statistics or 'FOLDER'}"


def _listed(weights: PublishedWeights) -> str:
    where = weights.repository or "by hand"
    return f"{weights.name:<12}{weights.what} ({where})"
