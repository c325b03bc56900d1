"""Bringing up the page: the worker, Gradio, and their end."""

import os
import signal
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from motiongpt.errors import UserError
from motiongpt.published.small import SMALL
from motiongpt.web.limits import Limits


@dataclass(frozen=True)
class Address:
    """Where the page is.

    Attributes:
        share: also on Gradio's own hosts, for everybody.
    """

    host: str = "127.0.0.1"
    port: int = 8888
    share: bool = False


def serve(
    models: Sequence[str],
    address: Address,
    limits: Limits,
    device: str | None = None,
    whisper: Path | None = None,
) -> None:
    """Serve until interrupted.

    Raises:
        UserError: no such model, Gradio is absent, or the port is taken.
    """
    with running(models, address, limits, device, whisper) as url:
        # A service manager ends it so: visitors' files go then, too.
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        print(f"{url}  (end it with Ctrl+C)", flush=True)
        try:
            threading.Event().wait()
        except KeyboardInterrupt:
            print("ended; all files of visitors are deleted")


@contextmanager
def running(
    models: Sequence[str],
    address: Address,
    limits: Limits,
    device: str | None = None,
    whisper: Path | None = None,
) -> Iterator[str]:
    """The page's address while it is there; its files go with it.

    Raises:
        UserError: as `serve`.
    """
    if find_spec("gradio") is None:
        raise UserError("the package gradio is absent: pip install 'motiongpt-platform[web]'")
    from motiongpt.web.desk import Desk
    from motiongpt.web.server import app_arguments, working_folder
    from motiongpt.web.sessions import Sessions
    from motiongpt.web.worker import Worker
    from motiongpt.web.workshop import Workshop

    with working_folder() as folder:
        pages = Path(folder, "pages")
        pages.mkdir()
        # Gradio reads it when it is imported: uploads lie there until they have been read.
        os.environ["GRADIO_TEMP_DIR"] = str(Path(folder, "uploads"))
        worker = Worker(
            Workshop, tuple(models) or (SMALL,), device, whisper, seconds=limits.seconds
        )
        try:
            desk = Desk(worker, Sessions(pages, limits), limits, worker.call("facts"))
            blocks = _launched(desk, address, app_arguments(desk, pages), whisper is not None)
            try:
                yield f"http://{address.host}:{blocks.server_port}"
            finally:
                blocks.close(verbose=False)
                desk.sessions.close()
        finally:
            worker.close()


def _launched(desk: Any, address: Address, app_arguments: dict[str, Any], speech: bool) -> Any:
    """Gradio's page, served by threads of this process."""
    from motiongpt.web.app import STYLE, page, theme

    blocks = page(desk, speech)
    try:
        blocks.launch(
            server_name=address.host,
            server_port=address.port,
            share=address.share,
            prevent_thread_lock=True,
            quiet=True,
            show_error=False,
            footer_links=[],
            max_file_size=desk.limits.upload_bytes,
            state_session_capacity=desk.limits.sessions,
            app_kwargs=app_arguments,
            theme=theme(),
            css_paths=STYLE,
            ssr_mode=False,
            mcp_server=False,
            pwa=False,
            enable_monitoring=False,
        )
    except OSError as error:
        raise UserError(f"--port {address.port}: {error}; choose another one") from error
    return blocks
