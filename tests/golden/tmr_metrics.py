"""Golden vectors of TMR's retrieval metrics and protocols."""

from collections.abc import Mapping
from itertools import product
from typing import Any

import numpy as np

from evaluation.metrics.match_ranks import (
    Ways,
    alike_texts,
    both_ways,
    match_ranks,
    pooled,
    recall,
    shuffled_pools,
)

Arrays = Mapping[str, np.ndarray]

DECIMALS = 2  # of the released numbers
POOL = 32
SIMILARITY = 1e-5
NAMES = {"R01": "r1", "R02": "r2", "R03": "r3", "R05": "r5", "R10": "r10", "MedR": "medr"}


def check_metrics(case: str, arrays: Arrays, report: Any) -> None:
    """Ranks and shares of stored similarities, all exact."""
    for setting in sorted({name.split("/")[1] for name in arrays if name.startswith("in/")}):
        similarities, alike = arrays[f"in/{setting}/sims"], None
        if f"in/{setting}/emb" in arrays:
            threshold = float(arrays[f"in/{setting}/threshold"])
            alike = alike_texts(arrays[f"in/{setting}/emb"], threshold)
        at = f"out/{setting}/"
        _check_ways(case, arrays, both_ways(similarities, alike), len(similarities), at, report)
        for way, rows in (("t2m", similarities), ("m2t", similarities.T)):
            name = f"{at}{way}_cols"
            if name in arrays:
                report.exact(case, name, match_ranks(rows, alike), arrays[name])
            best = match_ranks(rows, alike, "first")
            at_best = f"{at}optimistic/{way}"
            report.exact(case, f"{at_best}_cols", best, arrays[f"{at_best}_cols"])
            for released, ours in NAMES.items():
                found, expected = recall(best)[ours], arrays[f"{at_best}/{released}"]
                report.exact(case, f"{at_best}/{released}", round(found, DECIMALS), float(expected))


def _check_ways(case: str, arrays: Arrays, found: Ways, count: int, at: str, report: Any) -> None:
    """Numbers below `at`, rounded, and unrounded where the file has them."""
    for way, values in found.items():
        report.exact(case, f"{at}{way}/len", count, int(arrays[f"{at}{way}/len"]))
        for released, ours in NAMES.items():
            name = f"{at}{way}/{released}"
            report.exact(case, name, round(values[ours], DECIMALS), float(arrays[name]))
            name = f"{at}unrounded/{way}/{released}"
            if name in arrays:
                report.compare(case, name, values[ours], arrays[name], atol=1e-12)
        name = f"{at}unrounded/{way}/len"
        if name in arrays:
            report.exact(case, name, count, int(arrays[name]))


def check_protocols(case: str, arrays: Arrays, found: np.ndarray, report: Any) -> None:
    """The four protocols.

    Args:
        found: (N, N) similarities by our networks; numbers are computed of the stored ones.
    """
    similarities = arrays["out/normal/sim"]
    keys = [str(key) for key in arrays["in/keyids"]]
    report.compare(case, "out/normal/sim", found, similarities, atol=SIMILARITY)
    few = np.array([keys.index(str(key)) for key in arrays["in/nsim_keyids"]])
    report.compare(case, "out/nsim/sim", found[np.ix_(few, few)], arrays["out/nsim/sim"],
                   atol=SIMILARITY)  # fmt: skip
    by_name = np.argsort(np.array(keys), kind="stable")
    pools = by_name[shuffled_pools(len(keys), POOL)]
    stored = {name.split("/")[2] for name in arrays if name.startswith("out/guo/")}
    report.exact(case, "out/guo pools", sorted(stored), [f"pool{i}" for i in range(len(pools))])
    for number, pool in enumerate(pools):
        at = f"out/guo/pool{number}/"
        chosen = np.array([keys[position] for position in pool])
        report.exact(case, f"{at}keyids", chosen.tolist(), arrays[f"{at}keyids"].tolist())
        there = found[np.ix_(pool, pool)]
        report.compare(case, f"{at}sim", there, arrays[f"{at}sim"], atol=SIMILARITY)
    alike = alike_texts(arrays["in/sent_emb"], 0.95)
    of_pools = [both_ways(arrays[f"out/guo/pool{i}/sim"]) for i in range(len(pools))]
    found_pooled = pooled(similarities, pools)
    for way, name in product(of_pools[0], NAMES.values()):
        mean = float(np.mean([one[way][name] for one in of_pools]))
        report.compare(case, f"guo {way} {name}", found_pooled[way][name], mean, atol=1e-9)
    for protocol, ways, count in (
        ("normal", both_ways(similarities), len(keys)),
        ("threshold_0.95", both_ways(similarities, alike), len(keys)),
        ("nsim", both_ways(arrays["out/nsim/sim"]), len(few)),
        ("guo", found_pooled, POOL),
    ):
        _check_ways(case, arrays, ways, count, f"out/metrics/{protocol}/", report)
