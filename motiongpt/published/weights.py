"""Weights that their authors publish: where they lie, and what is needed to use them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from motiongpt.data.download import download
from motiongpt.errors import UserError
from motiongpt.published.hub import file_on_hub

STATISTICS = ("mean", "std")
LETTERS = 12  # of a checksum in a message


@dataclass(frozen=True)
class PublishedWeights:
    """One yaml of conf/published.

    Attributes:
        name: as the yaml is called.
        what: in one line, for the list of weights.
        importer: that reads the checkpoint, see `motiongpt.published.importers`.
        codebook_size: codes of its tokenizer.
        file: name of the checkpoint in the repository.
        licence: under which the weights are.
        how_to_get: by hand.
        repository: on the Hugging Face hub; None where it can only be fetched by hand.
        revision: of that repository.
        sha256: of the checkpoint; None where nobody who had the file has told it.
        statistics: "mean" and "std" to the addresses of the .npy files; empty if unknown.
    """

    name: str
    what: str
    importer: str
    codebook_size: int
    file: str
    licence: str
    how_to_get: str
    repository: str | None = None
    revision: str = "main"
    sha256: str | None = None
    statistics: Mapping[str, str] = field(default_factory=dict)

    def fetch(self, folder: Path, progress: bool = True) -> Path:
        """Download the checkpoint into `folder`; goes on where an earlier download stopped.

        It is compared with `sha256` where that is known, else with the checksum that the hub tells.

        Raises:
            UserError: it has to be fetched by hand, the hub can't be reached, it has another file
                than expected, or the bytes that came differ.
        """
        if self.repository is None:
            raise UserError(f"{self.name}: can't be fetched by a program; {self.how_to_get}")
        path = folder / self.file
        if path.exists():
            return path
        found = file_on_hub(self.repository, self.file, self.revision)
        if self.sha256 and found.sha256 and self.sha256 != found.sha256:
            raise UserError(
                f"{self.repository}/{self.file}: expected a file with sha256 "
                f"{self.sha256[:LETTERS]}…, the hub has one with {found.sha256[:LETTERS]}…: its "
                "authors have changed it; fetch it by hand if you want that one"
            )
        download(found.url, path, self.sha256 or found.sha256, progress)
        return path

    def fetch_statistics(self, folder: Path, progress: bool = True) -> Path | None:
        """Download mean.npy and std.npy into `folder`/meta; None where their addresses are unknown.

        Raises:
            UserError: an address can't be reached.
        """
        if not self.statistics:
            return None
        meta = folder / "meta"
        for name in STATISTICS:
            path = meta / f"{name}.npy"
            if not path.exists():
                download(self.statistics[name], path, progress=progress)
        return meta
