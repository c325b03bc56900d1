"""Turn a released checkpoint (MotionGPT, T2M-GPT, MLD) into a model folder, once."""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from motiongpt.errors import UserError

if TYPE_CHECKING:
    from motiongpt.published.folder import ModelFolder
    from motiongpt.published.importers.base import ImportOptions

EXAMPLES = """examples:
  motiongpt import-checkpoint motiongpt_s3_h3d.tar --statistics MotionGPT/assets/meta
  motiongpt import-checkpoint net_last.pth t2m_gpt_vq_vae --statistics meta --codebook-size 512
  motiongpt import-checkpoint net_best_fid.pth t2m_gpt_transformer
  motiongpt import-checkpoint mld_humanml3d.ckpt --statistics meta
  motiongpt import-checkpoint motiongpt_s3_h3d.tar --statistics meta --text-tokenizer flan-t5-base/

Nothing in the file is executed: its weights are read, everything else is passed over. Which project
it is of, and all sizes, are told by the names and shapes of the weights.
"""


def main(arguments: Sequence[str]) -> int:
    """Import, and say what it is and what can be done with it."""
    parser = argparse.ArgumentParser(
        prog="motiongpt import-checkpoint",
        description=__doc__,
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("file", type=Path, metavar="FILE", help="the checkpoint as published")
    parser.add_argument(
        "folder",
        type=Path,
        nargs="?",
        metavar="FOLDER",
        help="model folder to write; FILE without its ending by default",
    )
    add_options(parser)
    parser.add_argument(
        "--codebook-size", type=int, metavar="K", help="refuse a codebook of another size"
    )
    parser.add_argument("--force", action="store_true", help="replace a model folder that is there")
    options = parser.parse_args(arguments)
    from motiongpt.published.import_checkpoint import import_checkpoint  # loads torch

    folder = options.folder or default_folder(options.file)
    imported = import_checkpoint(
        options.file, folder, import_options(options, options.codebook_size), options.force
    )
    print(next_command(imported))
    return 0


def add_options(parser: argparse.ArgumentParser) -> None:
    """Options for what a checkpoint doesn't tell."""
    parser.add_argument(
        "--statistics",
        type=Path,
        metavar="FOLDER",
        help="with mean.npy and std.npy, as the weights were trained with",
    )
    parser.add_argument(
        "--store",
        type=Path,
        metavar="FOLDER",
        help="take them from a motion store that `motiongpt data prepare` made with "
        "data.store.normalisation=motiongpt; close to the published ones, not equal",
    )
    parser.add_argument(
        "--text-tokenizer",
        metavar="NAME",
        help="hub name or local folder; google/flan-t5-base for a T5, gpt2 for a GPT-2",
    )


def import_options(
    options: argparse.Namespace, codebook_size: int | None = None
) -> "ImportOptions":
    """What `add_options` and the codebook's expected size say."""
    from motiongpt.published.importers.base import ImportOptions

    return ImportOptions(options.statistics, options.store, options.text_tokenizer, codebook_size)


def default_folder(file: Path) -> Path:
    """Beside the checkpoint, named like it.

    Raises:
        UserError: the file's name has no ending, so that the folder would take its place.
    """
    folder = file.with_suffix("")
    if folder == file:
        raise UserError(f"{file}: has no ending to leave out; name the folder to write")
    return folder


def next_command(imported: "ModelFolder") -> str:
    """What can be done with a model folder."""
    from motiongpt.published.import_checkpoint import known_importers

    importer = known_importers().get(imported.source.get("importer", ""))
    if importer is None:
        return f"use it: motiongpt demo {imported.folder}"
    experiment = importer.experiment.format(folder=imported.folder)
    return f"evaluate it: motiongpt run experiment={experiment} data={imported.skeleton}"
