"""Fetching HumanML3D's words and the BVH files of the trials that they are about."""

import logging
from collections.abc import Mapping
from pathlib import Path

from motiongpt.data.clip import BadClip
from motiongpt.data.cmu.words import INDEX, LISTS, TEXTS, TRIAL, read_words
from motiongpt.data.github import GitHubRepository
from motiongpt.errors import UserError

_log = logging.getLogger(__name__)
WORDS = (INDEX, f"{TEXTS}.zip", *LISTS)


def fetch_all(
    folder: Path, words: GitHubRepository, motions: GitHubRepository, progress: bool
) -> None:
    """Fill `folder` with what it lacks: HumanML3D/ and motions/; goes on where it was interrupted.

    Trials that the release of BVH files lacks are left out.

    Raises:
        UserError: a file can't be fetched or is not in its repository.
    """
    fetch_words(folder, words, progress)
    listed = motions.checksums(folder)
    by_trial = {Path(path).stem: path for path in sorted(listed) if path.endswith(".bvh")}
    clips = [clip for clip in read_words(folder) if not isinstance(clip, BadClip)]
    trials = sorted({clip.trial for clip in clips if clip.fps is not None})
    absent = [trial for trial in trials if trial not in by_trial]
    if absent:
        _log.warning(
            "%s has no BVH file of %d of %d trials: %s%s", motions.name, len(absent), len(trials),
            ", ".join(absent[:5]), ", …" if absent[5:] else "",
        )  # fmt: skip
    wanted = {
        by_trial[trial]: folder / "motions" / f"{trial}.bvh"
        for trial in trials
        if trial in by_trial and TRIAL.fullmatch(trial)
    }
    motions.fetch(wanted, listed, progress)


def fetch_words(folder: Path, repository: GitHubRepository, progress: bool) -> None:
    """HumanML3D's index, captions and split lists, in the folder HumanML3D.

    Raises:
        UserError: as `fetch_all`.
    """
    target = folder / "HumanML3D"
    if all((target / name).exists() for name in WORDS):
        return
    listed = repository.checksums(folder)
    wanted = {_path_of(name, listed, repository.name): target / name for name in WORDS}
    repository.fetch(wanted, listed, progress)


def _path_of(name: str, listed: Mapping[str, str], repository: str) -> str:
    """The path of a file that is called `name`, the shortest where there are several."""
    found = [path for path in listed if path.rpartition("/")[2] == name]
    if not found:
        raise UserError(
            f"{repository} has no file {name} any more; fetch it by hand into the folder HumanML3D "
            "of data.source.path"
        )
    return min(found, key=lambda path: (path.count("/"), path))
