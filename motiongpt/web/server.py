"""The page's server: its files, its bounds, and no other host."""

import re
import tempfile
from collections.abc import Awaitable, Callable, MutableMapping
from pathlib import Path
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, Response
from starlette.routing import Route

from motiongpt.errors import UserError
from motiongpt.web.desk import Desk
from motiongpt.web.workshop import SHARED

Message = MutableMapping[str, Any]
# Gradio's page names hosts for fonts, a resizing script and pictures of links to it.
_ELSEWHERE = re.compile(
    rb"<(?:link|meta)\b[^>]*https?://[^>]*>|<script\b[^>]*\bsrc=\"https?://[^>]*>\s*</script>",
    re.IGNORECASE,
)
POLICY = (
    "default-src 'self' 'unsafe-inline' 'unsafe-eval' data: blob:; object-src 'none'; "
    "frame-ancestors 'self'; form-action 'self'; base-uri 'self'"
)
HEADERS = {
    b"content-security-policy": POLICY.encode(),
    b"referrer-policy": b"no-referrer",
    b"x-content-type-options": b"nosniff",
}


class OwnHostOnly:
    """Takes other hosts out of Gradio's HTML, and forbids the browser to ask any."""

    def __init__(self, app: Callable[..., Awaitable[None]]) -> None:
        self._app = app

    async def __call__(self, scope: Message, receive: Any, send: Any) -> None:
        """See ASGI."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        start: Message = {}
        page = bytearray()

        async def sent(message: Message) -> None:
            nonlocal start
            if message["type"] == "http.response.start":
                headers = dict(message["headers"])
                ours = [one for one in HEADERS.items() if one[0] not in headers]
                message["headers"] = [*message["headers"], *ours]
                if headers.get(b"content-type", b"").startswith(b"text/html"):
                    start = message
                    return
            if not start:
                await send(message)
                return
            page.extend(message.get("body", b""))
            if not message.get("more_body"):
                await _send_page(send, start, _ELSEWHERE.sub(b"", bytes(page)))

        await self._app(scope, receive, sent)


async def _send_page(send: Any, start: Message, page: bytes) -> None:
    length = [(b"content-length", str(len(page)).encode())]
    headers = [one for one in start["headers"] if one[0] != b"content-length"]
    await send({**start, "headers": headers + length})
    await send({"type": "http.response.body", "body": page})


def routes(desk: Desk, pages: Path) -> list[Route]:
    """The viewer's pages, what they share, and files to take home."""

    async def page(request: Request) -> Response:
        turn = desk.sessions.find(request.path_params["token"])
        if turn is None or not turn.page.is_file():
            return PlainTextResponse("this motion's session has ended", 404)
        return FileResponse(
            turn.page, media_type="text/html", headers={"cache-control": "no-store"}
        )

    async def shared(request: Request) -> Response:
        name = request.path_params["name"]
        if not re.fullmatch(r"\w+\.[0-9a-f]+\.js", name) or not (pages / SHARED / name).is_file():
            return PlainTextResponse("no such file", 404)
        return FileResponse(pages / SHARED / name, media_type="text/javascript")

    async def file(request: Request) -> Response:
        wanted = request.path_params
        try:
            path, name = await run_in_threadpool(
                desk.file, wanted["token"], wanted["clip"], f".{wanted['ending']}"
            )
        except UserError as error:
            return PlainTextResponse(str(error), 404)
        return FileResponse(path, filename=name, headers={"cache-control": "no-store"})

    return [
        Route("/motion/shared/{name}", shared),
        Route("/motion/{token}.html", page),
        Route("/motion/{token}/{clip:int}.{ending}", file),
    ]


def app_arguments(desk: Desk, pages: Path) -> dict[str, Any]:
    """Of the application that Gradio makes."""
    return {
        "routes": routes(desk, pages),
        "middleware": [Middleware(OwnHostOnly)],
        "docs_url": None,
        "redoc_url": None,
        "openapi_url": None,
    }


def working_folder() -> tempfile.TemporaryDirectory[str]:
    """Of all files of all visitors, for the owner alone; it goes with the server."""
    return tempfile.TemporaryDirectory(prefix="motiongpt_web_")
