"""What the stand-in for a W&B server says to those that log artifacts, and use them."""

import json
from typing import Any

PROJECT = {"name": "p", "entity": {"name": "team"}}
ARTIFACT: dict[str, Any] = {
    "id": "QXJ0aWZhY3Q6MQ==",
    "artifactSequence": {"name": "points", "project": PROJECT},
    "versionIndex": 0,
    "artifactType": {"name": "run_table"},
    **dict.fromkeys(("description", "metadata", "historyStep", "commitHash", "updatedAt")),
    "ttlDurationSeconds": 0,
    "ttlIsInherited": False,
    "tags": [],
    "aliases": [],
    "state": "COMMITTED",
    "size": 1,
    "digest": "0",
    "fileCount": 1,
    "createdAt": "2024-01-01T00:00:00Z",
}
"""What W&B wants to know of an artifact: it keeps a table as one, besides the run's file."""
MANIFEST: dict[str, Any] = {
    "version": 1,
    "storagePolicy": "wandb-storage-policy-v1",
    "storagePolicyConfig": {},
    "contents": {"points.table.json": {"digest": "0", "size": 1}},
}


class Artifacts:
    """Models that were logged, and which runs use them; tables are taken and thrown away.

    Attributes:
        logged: what the request to make an artifact said of it, by its name.
        committed: names of those whose files are all there.
        used: names of the artifacts that each run uses.
        refused: stages whose models are not taken.
    """

    def __init__(self) -> None:
        self.logged: dict[str, dict[str, Any]] = {}
        self.committed: list[str] = []
        self.used: dict[str, set[str]] = {}
        self.refused: tuple[str, ...] = ()

    def query(self, query: str, said: dict[str, Any], url: str) -> dict[str, Any] | None:
        """The answer to a GraphQL query about artifacts, None to all else.

        Args:
            url: of the server.
        """
        if "mutation CreateArtifact (" in query:
            return {"createArtifact": {"artifact": self._made(said["input"])}}
        if "createArtifactManifest" in query or "updateArtifactManifest" in query:
            key = (
                "createArtifactManifest"
                if "createArtifactManifest" in query
                else "updateArtifactManifest"
            )
            file = {"id": "1", "uploadUrl": f"{url}/put/manifest.json", "uploadHeaders": []}
            return {key: {"artifactManifest": {"id": "1", "file": file}}}
        if "createArtifactFiles" in query:
            nodes = [self._place(one, url) for one in said["artifactFiles"]]
            return {"createArtifactFiles": {"files": {"edges": [{"node": one} for one in nodes]}}}
        if "commitArtifact" in query:
            self.committed.append(said["artifactID"])
            return {"commitArtifact": {"artifact": {"id": said["artifactID"], "digest": "0"}}}
        if "ArtifactByName" in query:
            name = said["name"].partition(":")[0]
            return {"project": {"artifact": self._known(name) if name in self.committed else None}}
        if "mutation UseArtifact" in query:
            self.used.setdefault(said["runName"], set()).add(said["artifactID"])
            of = {"id": said["artifactID"], "state": "COMMITTED", "digest": "0"}
            return {"useArtifact": {"artifact": {**ARTIFACT, **of}}}
        if "ArtifactByID" in query:
            return {"artifact": self._known(said["id"])}
        if "ArtifactType" in query:
            return {"project": {"artifact": None}}
        if "FetchArtifactManifest" in query:
            return {"artifact": {"currentManifest": {"file": {"directUrl": f"{url}/manifest"}}}}
        return None

    def _made(self, wanted: dict[str, Any]) -> dict[str, Any]:
        name, state = wanted["artifactCollectionName"], "COMMITTED"
        if wanted["artifactTypeName"] == "model":
            if name.startswith(self.refused):
                raise PermissionError("no storage left")
            self.logged[name] = {**wanted, "metadata": json.loads(wanted["metadata"])}
            state = "PENDING"
        return {"id": name, "state": state, "artifactSequence": {"latestArtifact": None}}

    def _known(self, name: str) -> dict[str, Any]:
        if name not in self.logged:
            return ARTIFACT
        sequence = {"name": name, "project": PROJECT}
        of = {"id": name, "artifactSequence": sequence, "artifactType": {"name": "model"}}
        return {**ARTIFACT, **of}

    @staticmethod
    def _place(wanted: dict[str, Any], url: str) -> dict[str, Any]:
        name = f"{wanted['artifactID']}/{wanted['name']}"
        return {
            "storagePath": name,
            "uploadUrl": f"{url}/put/{name}",
            "uploadHeaders": [],
            "uploadMultipartUrls": None,
            "artifact": {"id": wanted["artifactID"]},
        }
