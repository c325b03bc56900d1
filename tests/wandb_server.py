"""As much of a W&B server as logging and resuming a run needs, on this machine."""

import gzip
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.wandb_artifacts import ARTIFACT, MANIFEST, PROJECT, Artifacts


class WandbServer:
    """Keeps what was sent, by the runs' ids.

    Attributes:
        runs: what the requests to make and change a run said of it.
        history: lines of each run's history; a request's lines lie at its offset, as in W&B.
        files: the uploaded files, by name.
        lossy: whether rows are taken and thrown away.
        artifacts: models.
        sweeps: yaml of each sweep, by its name.
        reports: what was said of each that was saved.
        trials: what its agent is told to run, one after the other: id -> values by name.
    """

    def __init__(self, lossy: bool = False) -> None:
        self.lossy = lossy
        self.runs: dict[str, dict[str, Any]] = {}
        self.history: dict[str, list[dict[str, Any]]] = {}
        self.files: dict[str, bytes] = {}
        self.sweeps: dict[str, str] = {}
        self.reports: list[dict[str, Any]] = []
        self.trials: dict[str, dict[str, Any]] = {}
        self.artifacts = Artifacts()
        keeper = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                self._answer(MANIFEST)

            def do_PUT(self) -> None:
                keeper.files[self.path.removeprefix("/put/")] = self._body()
                self._answer({})

            def do_POST(self) -> None:
                said = json.loads(self._body() or b"{}")
                if self.path.endswith("/file_stream"):
                    keeper.stream(self.path.split("/")[-2], said)
                    self._answer({})
                else:
                    self._answer(keeper.answer(said["query"], said.get("variables") or {}))

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
        if sent and not self.lossy:
            kept = self.history.setdefault(run_id, [])
            del kept[sent["offset"] :]
            # Go has no word for what is not finite: W&B says it in a string
            kept.extend(json.loads(line, parse_constant=str) for line in sent["content"])

    def answer(self, query: str, variables: dict[str, Any]) -> dict[str, Any]:
        """GraphQL's answer, with its errors."""
        try:
            return {"data": self.query(query, variables)}
        except PermissionError as error:
            return {"data": None, "errors": [{"message": str(error)}]}

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
        name = variables.get("name")
        if "RunResumeStatus" in query and name in self.runs:
            return {
                "model": {
                    "id": "1",
                    "name": "p",
                    "entity": {"id": "1", "name": "team"},
                    "bucket": self._resumable(name),
                }
            }
        if "historyKeys" in query:
            lines = self.history.get(name, [])
            keys = {"lastStep": lines[-1]["_step"]} if lines else None
            said = {
                "id": "1",
                "name": name,
                "config": "{}",
                "summaryMetrics": "{}",
                "tags": [],
                "state": "finished",
            }
            return {"project": {"run": {**said, "projectId": "1", "historyKeys": keys}}}
        if (answer := self.artifacts.query(query, variables, self.url)) is not None:
            return answer
        if (answer := self._query_report(query, variables)) is not None:
            return answer
        if (answer := self._query_sweep(query, variables)) is not None:
            return answer
        viewer = {"id": "1", "entity": "team", "username": "team", "flags": "{}"}
        return {"viewer": viewer, "serverInfo": {"cliVersionInfo": {}, "features": []}}

    def _query_report(self, query: str, variables: dict[str, Any]) -> dict[str, Any] | None:
        """The answer to what W&B's library of reports asks, None to all else."""
        if "upsertView" in query:
            self.reports.append(variables)
            names = ("type", "name", "displayName", "description", "spec")
            view = {name: variables[name] for name in names}
            project = {"id": "1", "name": PROJECT["name"], "entityName": "team"}
            dated = {"id": "VmlldzoxMjM=", "updatedAt": ARTIFACT["createdAt"]}
            return {"upsertView": {"view": {**view, **dated, "project": project}, "inserted": True}}
        if "ProjectInternalId" in query:
            return {"project": {"id": "1", "internalId": "1"}}
        if "models(" in query:
            page = {"hasNextPage": False, "endCursor": None}
            about = {"createdAt": ARTIFACT["createdAt"], "isBenchmark": False, "user": None}
            node = {"id": "1", "name": "p", "entityName": "team", **about}
            return {"models": {"edges": [{"node": node}], "pageInfo": page}}
        return None

    def _query_sweep(self, query: str, variables: dict[str, Any]) -> dict[str, Any] | None:
        """The answer to what `wandb sweep` and `wandb agent` ask, None to all else."""
        if "UpsertSweep" in query:
            name = f"sweep{len(self.sweeps)}"
            self.sweeps[name] = variables["config"]
            sweep = {"name": name, "project": PROJECT}
            return {"upsertSweep": {"sweep": sweep, "configValidationWarnings": []}}
        if "SweepWithRuns" in query:
            config = self.sweeps[variables["sweep"]]
            sweep = {"name": variables["sweep"], "config": config, "runs": {"edges": []}}
            return {"project": {"sweep": sweep}}
        if "CreateAgent" in query:
            return {"createAgent": {"agent": {"id": "1"}}}
        if "Heartbeat" in query:
            busy = json.loads(variables["runState"])
            commands = [] if busy else [self._next_trial()]
            answer = {"agent": {"id": "1"}, "commands": json.dumps(commands)}
            return {"agentHeartbeat": answer}
        return None

    def _next_trial(self) -> dict[str, Any]:
        """What an agent without work is told to do."""
        if not self.trials:
            return {"type": "exit"}
        name = next(iter(self.trials))
        values = {key: {"value": value} for key, value in self.trials.pop(name).items()}
        program = "motiongpt"
        return {"type": "run", "run_id": name, "program": program, "args": values}

    def _resumable(self, name: str) -> dict[str, Any]:
        """What W&B asks of a run before it goes on with it."""
        lines = self.history.get(name, [])
        none = {
            "logLineCount": 0,
            "eventsLineCount": 0,
            "eventsTail": "[]",
            "wandbConfig": '{"t": 1}',
        }
        config = self.runs[name].get("config", "{}")
        return {
            **none,
            "id": "1",
            "name": name,
            "displayName": name,
            "summaryMetrics": json.dumps(lines[-1] if lines else {}),
            "historyLineCount": len(lines),
            "historyTail": json.dumps([json.dumps(lines[-1])] if lines else []),
            "config": config,
            "tags": [],
        }
