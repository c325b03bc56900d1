"""Finished runs whose files are no longer what their stage left."""

from launch.runs.ledger import Run, status_in
from motiongpt.checksums import damage_below


def damage_of(run: Run, whole: bool = False) -> str:
    """One line on a run that is finished but damaged, and how to mend it; empty for all others.

    Args:
        whole: read all bytes; else only what a look at the folder tells.
    """
    state = status_in(run.folder)["state"]
    if run.is_outdated or state not in ("finished", "damaged"):
        return ""
    said = "status.json is damaged" if state == "damaged" else damage_below(run.folder, whole)
    if not said:
        return ""
    return f"{run.stage} {run.signature}: finished, but {said}: run with --again {run.stage}"
