"""Single files of a public repository on GitHub, with the checksums that Git keeps of them."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from motiongpt.data.download import download
from motiongpt.errors import UserError
from motiongpt.progress import progress_bar
from motiongpt.reading import read_json_object


@dataclass(frozen=True)
class GitHubRepository:
    """Where the files of a repository lie.

    Attributes:
        name: "owner/name".
        listing: address of the list of all files, as GitHub's API gives a tree with all below it.
        files: address that a file's path is put behind.
    """

    name: str
    listing: str
    files: str

    def checksums(self, folder: Path) -> dict[str, str]:
        """Path -> Git's SHA-1 of every file; the list is fetched once and kept in `folder`.

        Raises:
            UserError: it can't be fetched, or is not a whole list.
        """
        path = folder / f"{self.name.replace('/', '--')}.json"
        if not path.exists():
            download(self.listing, path, progress=False)
        try:
            found = read_json_object(path)
            if found["truncated"]:
                raise ValueError("it is truncated")
            tree = found["tree"]
            return {str(one["path"]): str(one["sha"]) for one in tree if one["type"] == "blob"}
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise UserError(
                f"{path}: not the list of the files of {self.name} ({error}); remove it and try "
                "again"
            ) from error

    def fetch(
        self, wanted: Mapping[str, Path], checksums: Mapping[str, str], progress: bool
    ) -> None:
        """Download the files that are absent, each compared with its checksum.

        Args:
            wanted: path in the repository -> where it is to lie.
            checksums: of `checksums`.

        Raises:
            UserError: a file can't be fetched, or differs.
        """
        absent = {path: to for path, to in wanted.items() if not to.exists()}
        for path, to in progress_bar(
            absent.items(), desc=self.name, unit="file", disable=not progress
        ):
            download(f"{self.files}/{path}", to, progress=False, git_sha1=checksums[path])
