"""The requests of a protocol as a file, for systems that are no method of this project.

One line of JSON a request: `clip` names the file to be made, `draw` the replication, `caption` and
`text` ask, `frames` is the length that is asked for or null, `given` how many of them are given at
the start and at the end, `fps` their frame rate.
"""

import json
from pathlib import Path

from evaluation.requests.building import RequestBuilder
from evaluation.requests.predictions import About
from motiongpt.files import write_text


def write_requests(path: Path, builder: RequestBuilder, about: About) -> int:
    """Write the requests of all replications; returns how many.

    Raises:
        OSError: the file can't be written.
    """
    lines = []
    for draw in range(len(about.seeds)):
        requests, captions = builder.requests(about, draw)
        pairs = zip(requests, captions, strict=True)
        for position, (request, caption) in enumerate(pairs):
            found = {
                "clip": request.clip,
                "draw": draw,
                "task": request.task,
                "caption": caption,
                "text": request.text,
                "frames": request.frames,
                "given": list(about.given[position]),
                "fps": builder.store.fps,
            }
            lines.append(json.dumps(found, ensure_ascii=False))
    write_text(path, "\n".join(lines) + "\n")
    return len(lines)
