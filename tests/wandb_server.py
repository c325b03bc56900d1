"""As much of a W&B server as `wandb sync` needs, on this machine."""

import gzip
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class WandbServer:
    """Keeps what was sent, by the runs' ids.

    Attributes:
        runs: what the requests to make and change a run said of it.
        history: lines of each run's history; a request's lines lie at its offset, as in W&B.
        files: names of the uploaded files.
    """

    def __init__(self) -> None:
        self.runs: dict[str, dict[str, Any]] = {}
        self.history: dict[str, list[dict[str, Any]]] = {}
        self.files: set[str] = set()
        keeper = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                self._answer({})

            def do_PUT(self) -> None:
                self._body()
                keeper.files.add(self.path.removeprefix("/put/"))
                self._answer({})

            def do_POST(self) -> None:
                said = json.loads(self._body() or b"{}")
                if self.path.endswith("/file_stream"):
                    keeper.stream(self.path.split("/")[-2], said)
                    self._answer({})
                else:
                    self._answer({"data": keeper.query(said["query"], said.get("variables") or {})})

            def log_message(self, *words: Any) -> None:
                """Nothing."""

            def _body(self) -> bytes:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                return gzip.decompress(body) if "Content-Encoding" in self.headers else body

            def _answer(self, content: dict[str, Any]) -> None:
                body = json.dumps(content).encode()
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._http.server_port}"

    def __enter__(self) -> "WandbServer":
        threading.Thread(target=self._http.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *error: object) -> None:
        self._http.shutdown()
        self._http.server_close()

    @property
    def environment(self) -> dict[str, str]:
        """Variables that lead W&B here."""
        return {"WANDB_BASE_URL": self.url, "WANDB_API_KEY": "a" * 40, "NO_PROXY": "127.0.0.1"}

    def stream(self, run_id: str, said: dict[str, Any]) -> None:
        """Lines of the history."""
        sent = said.get("files", {}).get("wandb-history.jsonl")
        if sent:
            kept = self.history.setdefault(run_id, [])
            del kept[sent["offset"] :]
            kept.extend(json.loads(line) for line in sent["content"])

    def query(self, query: str, variables: dict[str, Any]) -> dict[str, Any]:
        """The answer to a GraphQL query."""
        if "upsertBucket" in query:
            said = {key: value for key, value in variables.items() if value is not None}
            self.runs.setdefault(variables["name"], {}).update(said)
            project = {"name": variables.get("project"), "entity": {"name": "team"}}
            bucket = {"id": "1", "name": variables["name"], "project": project}
            return {"upsertBucket": {"bucket": bucket, "inserted": True}}
        if "createRunFiles" in query:
            urls = [
                {"name": name, "uploadUrl": f"{self.url}/put/{name}"} for name in variables["files"]
            ]
            return {"createRunFiles": {"runID": "1", "uploadHeaders": [], "files": urls}}
        viewer = {"id": "1", "entity": "team", "username": "team", "flags": "{}"}
        return {"viewer": viewer, "serverInfo": {"cliVersionInfo": {}, "features": []}}
