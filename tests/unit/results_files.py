"""Hand-made results.json for the tests of the leaderboard."""

import copy
import json

NUMBER = {
    "task": "text_to_motion",
    "row": "model",
    "metric": "fid",
    "value": 0.16,
    "interval": 0.004,
    "replications": 20,
    "values": [],
    "unit": "",
    "better": "lower",
    "cases": 4384,
    "judge": "evaluator",
}
FACTS = {
    "schema": 2,
    "signature": "0123456789abcdef",
    "stage": "evaluate",
    "method": {
        "name": "motiongpt",
        "facts": {
            "tokenizer": "vq_vae",
            "codebook_size": 512,
            "frames_per_token": 4,
            "backbone": "flan_t5_base",
            "tasks": "all",
        },
    },
    "experiment": {"group": "motiongpt_base", "data": "humanml3d"},
    "data": {"name": "humanml3d", "fingerprint": "f" * 16, "split": "test", "clips": 4384},
    "protocol": {
        "name": "guo2022",
        "split": "test",
        "clips": None,
        "replications": 20,
        "scoring": {"packing": "packed", "references": "raw"},
    },
    "evaluator": {"name": "t2m_published", "fingerprint": "e" * 16, "words": "glove"},
    "captions": {"backend": "coco", "references": "raw"},
    "seeds": [1234, 1235],
    "versions": {"torch": "2.13.0"},
    "time": "2026-11-22T23:00:00Z",
    "git": {"git_commit": "abc", "git_dirty": False},
    "results": [NUMBER],
}

CAPTION_METRICS = ("bleu1", "bleu4", "rougeL", "cider")
JOINT_METRICS = ("mpjpe", "pa_mpjpe", "ade", "fde")


def number(**changes):
    metric = changes.get("metric")
    judge = "captions" if metric in CAPTION_METRICS else "evaluator"
    return {**NUMBER, "judge": "none" if metric in JOINT_METRICS else judge, **changes}


def facts(*numbers, **changes):
    """Content of a results.json; nested facts are changed by dotted name with __ for the dot."""
    found = copy.deepcopy(FACTS)
    if numbers:
        found["results"] = [dict(one) for one in numbers]
    for key, value in changes.items():
        node = found
        *above, last = key.split("__")
        for name in above:
            node = node[name]
        node[last] = value
    return found


def write(folder, *numbers, **changes):
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "results.json"
    path.write_text(json.dumps(facts(*numbers, **changes)))
    return path
