"""A Hugging Face hub on this machine: what a download asks of it, and nothing else."""

import contextlib
import hashlib
import http.server
import json
import threading
from collections.abc import Iterator, Mapping

COMMIT = "0123456789abcdef0123456789abcdef01234567"
LARGE = (".tar", ".safetensors")  # these the hub keeps with their SHA-256


class FakeHub:
    """Repositories: name -> file -> content. `asked` lists what was asked, with the range."""

    def __init__(self, repositories: Mapping[str, Mapping[str, bytes]]) -> None:
        self.repositories = {name: dict(files) for name, files in repositories.items()}
        self.asked: list[tuple[str, str, str | None]] = []
        self.break_off_after: int | None = None

    @contextlib.contextmanager
    def serving(self) -> Iterator[str]:
        """The address while it runs."""
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            server.server_close()
            thread.join()

    def answer(self, path: str) -> tuple[int, bytes, dict[str, str]]:
        """Status, content and headers for an address."""
        for name, files in self.repositories.items():
            if path.startswith(f"/api/models/{name}"):
                listed = {"id": name, "sha": COMMIT, "siblings": [{"rfilename": f} for f in files]}
                return 200, json.dumps(listed).encode(), {"Content-Type": "application/json"}
            if path.startswith(f"/{name}/resolve/"):
                file = path.split("/resolve/")[1].partition("/")[2]
                if file not in files:
                    return 404, b"", {"X-Error-Code": "EntryNotFound"}
                content = files[file]
                etag = hashlib.sha256(content).hexdigest()
                etag = etag if file.endswith(LARGE) else etag[:40]
                return 200, content, {"ETag": f'"{etag}"', "X-Repo-Commit": COMMIT}
        return 404, b"", {"X-Error-Code": "RepoNotFound"}


def _handler(hub: FakeHub) -> type[http.server.BaseHTTPRequestHandler]:
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_HEAD(self):
            self.reply(body=False)

        def do_GET(self):
            self.reply(body=True)

        def reply(self, body):
            wanted = self.headers.get("Range")
            path = self.path.partition("?")[0]
            hub.asked.append((self.command, path, wanted))
            status, content, headers = hub.answer(path)
            if body and wanted and status == 200:
                first = int(wanted.removeprefix("bytes=").partition("-")[0])
                total = len(content)
                status, content = 206, content[first:]
                headers["Content-Range"] = f"bytes {first}-{total - 1}/{total}"
            self.send_response(status)
            for name, value in {**headers, "Content-Length": str(len(content))}.items():
                self.send_header(name, value)
            self.end_headers()
            if body:
                self.wfile.write(content[: hub.break_off_after])

        def log_message(self, *_):
            pass

    return Handler
