"""Metrics and the protocol on record say the same: what is given twice is compared here."""

from collections.abc import Mapping
from typing import Any

from motiongpt.errors import UserError

# Metric -> its argument -> the key of `protocol.scoring` that the argument is taken from.
OF_SCORING: Mapping[str, Mapping[str, str]] = {
    "mpjpe": {"frames": "joint_errors"},
    "pa_mpjpe": {"frames": "joint_errors"},
    "acceleration_error": {"frames": "joint_errors"},
    "ade": {"frames": "displacement"},
    "fde": {"frames": "displacement"},
    "r_precision": {"pool": "pool", "distances": "distances"},
    "text_r_precision": {"pool": "pool", "distances": "distances", "ask": "text_queries"},
    "diversity": {"pairs": "diversity_pairs"},
    "multimodality": {"pairs": "multimodality_pairs"},
}
# Metric -> its argument, taken from the key of this name of `captions`.
OF_CAPTIONS: Mapping[str, tuple[str, ...]] = {
    "captions": ("references", "back_end"),
    "bert_score": ("references",),
}


def check_agreement(
    metrics: Mapping[str, Any], scoring: Mapping[str, Any], captions: Mapping[str, Any]
) -> None:
    """Refuse metrics that do something else than the protocol and captions that are recorded.

    Args:
        metrics: name -> settings, plain containers as the others.
        scoring: of the protocol.
        captions: a node of conf/captions.

    Raises:
        UserError: names both settings, and the one to change.
    """
    for name, settings in metrics.items():
        pairs = [
            (argument, f"protocol.scoring.{key}", scoring.get(key))
            for argument, key in OF_SCORING.get(name, {}).items()
        ] + [(key, f"captions.{key}", captions.get(key)) for key in OF_CAPTIONS.get(name, ())]
        for argument, owner, recorded in pairs:
            if argument in settings and settings[argument] != recorded:
                raise UserError(
                    f"metrics.{name}.{argument}={settings[argument]}, but {owner}={recorded} is "
                    f"what results are recorded with; change {owner} alone"
                )
