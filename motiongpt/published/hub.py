"""The Hugging Face hub: model folders up and down, and single files of other projects."""

import contextlib
import glob
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from huggingface_hub import (
    HfApi,
    get_hf_file_metadata,
    hf_hub_download,
    hf_hub_url,
    snapshot_download,
)
from huggingface_hub.errors import (
    EntryNotFoundError,
    GatedRepoError,
    HfHubHTTPError,
    HFValidationError,
    LocalEntryNotFoundError,
    LocalTokenNotFoundError,
    OfflineModeIsEnabled,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)

from motiongpt.checksums import CHECKSUMS, listed_files
from motiongpt.errors import UserError
from motiongpt.methods.loading import known_methods
from motiongpt.published.card import model_card
from motiongpt.published.folder import CARD, DESCRIPTION, TEMPLATES, ModelFolder
from motiongpt.reachable import hub_is_reachable

LOG_IN = "log in with `hf auth login`, or set HF_TOKEN"
FORBIDDEN = (401, 403)
BESIDE = (DESCRIPTION, CHECKSUMS, f"{TEMPLATES}.json", CARD)
"""What a model folder has besides its parts."""
UNLISTED = ("*.json", "*.safetensors", "*.npy", "*.txt", "*.model", "*.md")
"""What one of an earlier version consists of, which has no list of its files."""
SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class FileOnHub:
    """Address of a file, and its SHA-256 where the hub keeps one (for all large files)."""

    url: str
    sha256: str | None


def file_on_hub(repository: str, file: str, revision: str = "main") -> FileOnHub:
    """Where a file of a repository is fetched from, and its checksum.

    Raises:
        UserError: no network, no such repository, revision or file.
    """
    _need_network(f"{repository}/{file}")
    with _one_line(f"{repository}/{file}"):
        url = hf_hub_url(repository, file, revision=revision)
        etag = get_hf_file_metadata(url).etag
    return FileOnHub(url, etag if etag and SHA256.fullmatch(etag) else None)


def from_hub(name: str, revision: str | None = None) -> Path:
    """The model folder of the repository `name` ("owner/name"), in the hub's local cache.

    What has been fetched once is used without a network too.

    Raises:
        UserError: no network, no such repository or revision, no access, or no model folder there.
    """
    local = not hub_is_reachable()
    with _one_line(name):
        try:
            description = Path(
                hf_hub_download(name, DESCRIPTION, revision=revision, local_files_only=local)
            )
        except LocalEntryNotFoundError:  # one of the next kind, but for want of a network
            raise
        except EntryNotFoundError as error:
            raise UserError(
                f"{name}: no model folder on the hub ({DESCRIPTION} is absent); weights of other "
                "projects are fetched by `motiongpt download NAME` and imported"
            ) from error
        ModelFolder.open(description.parent)  # refuses another format before gigabytes are fetched
        with contextlib.suppress(EntryNotFoundError):  # of an earlier version, which has none
            hf_hub_download(name, CHECKSUMS, revision=revision, local_files_only=local)
        return Path(
            snapshot_download(
                name,
                revision=revision,
                allow_patterns=_patterns(description.parent),
                local_files_only=local,
            )
        )


def push_to_hub(folder: Path | str, repository: str, private: bool = False) -> str:
    """Upload a model folder with a model card; the repository is made if there is none.

    Gives the address of the commit.

    Raises:
        UserError: no model folder, one that is not whole or that copies clips of its data, no
            network, or no right to write there.
    """
    opened = ModelFolder.open(folder)
    kind = known_methods().get(opened.method)
    if kind is not None and kind.copies_clips:
        raise UserError(
            f"{opened.folder}: method {opened.method} copies clips of its data, whose licence is "
            "not this project's to give, and finds them by a path of this machine: it is not pushed"
        )
    for part in opened.parts:
        opened.part(part)
    card = model_card(opened, repository)
    _need_network(repository)
    api = HfApi()
    with _one_line(repository):
        api.create_repo(repository, private=private, exist_ok=True)
        api.upload_folder(
            repo_id=repository,
            folder_path=opened.folder,
            allow_patterns=_patterns(opened.folder),
            ignore_patterns=[CARD],
            commit_message=f"{opened.name}: weights",
        )
        done = api.upload_file(
            path_or_fileobj=card.encode(),
            path_in_repo=CARD,
            repo_id=repository,
            commit_message=f"{opened.name}: model card",
        )
    return str(done.commit_url)


def _patterns(folder: Path) -> list[str]:
    """What is fetched or uploaded of a model folder; anything else beside it is left there."""
    listed = [glob.escape(name) for name in listed_files(folder)]
    return [*listed, *BESIDE] if listed else list(UNLISTED)


def _need_network(what: str) -> None:
    if not hub_is_reachable():
        raise UserError(f"{what}: the hub can't be reached; try again where there is a network")


@contextlib.contextmanager
def _one_line(what: str) -> Iterator[None]:
    """Turn what huggingface_hub raises into one line with a way out."""
    try:
        yield
    except UserError:
        raise
    except HFValidationError as error:
        raise UserError(f"{what}: not a name of the hub; expected OWNER/NAME") from error
    except (LocalTokenNotFoundError, GatedRepoError) as error:
        raise UserError(f"{what}: the hub wants to know who asks; {LOG_IN}") from error
    except RepositoryNotFoundError as error:
        raise UserError(
            f"{what}: the hub has no such repository, or it is private; {LOG_IN} if it is yours"
        ) from error
    except RevisionNotFoundError as error:
        raise UserError(f"{what}: the repository has no such revision") from error
    except LocalEntryNotFoundError as error:
        raise UserError(
            f"{what}: the hub can't be reached, and nothing of it is in the local cache; fetch it "
            "where there is a network"
        ) from error
    except EntryNotFoundError as error:
        raise UserError(f"{what}: the repository has no such file") from error
    except HfHubHTTPError as error:
        raise _of_status(what, error) from error
    except (OfflineModeIsEnabled, OSError) as error:
        said = " ".join(str(error).split())[:120]
        raise UserError(f"{what}: the hub can't be reached ({said})") from error


def _of_status(what: str, error: HfHubHTTPError) -> UserError:
    status = error.response.status_code if error.response is not None else None
    if status in FORBIDDEN:
        return UserError(f"{what}: the hub refuses (HTTP {status}); {LOG_IN} as one who may write")
    return UserError(f"{what}: the hub answers HTTP {status}; try again later")
