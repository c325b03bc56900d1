"""Frames per second of the CMU captures.

AMC files tell none, and the BVH release says 120 for all of them: the trials below were captured at
60, 492 of the 2,035 trials that HumanML3D takes clips from, as an index of these clips gives it; of
four it is not known. A clip that ends after its file does by this rate is refused, not guessed.
"""

FAST, SLOW = 120.0, 60.0

# Subjects whose trials are at 60, but for the exceptions.
SLOW_SUBJECTS = frozenset(
    ("60", "61", "62", "74", "75", "77", "79", "80", "84", "93", "103", "106", "107", "115", "139",
     "141", "143")
)  # fmt: skip
# Trials that are not at their subject's rate.
EXCEPTIONS = {
    **dict.fromkeys(("74_09", "77_21", "77_28", "84_09", "139_21"), FAST),
    **dict.fromkeys((f"88_{trial:02}" for trial in range(5, 12)), SLOW),
    **dict.fromkeys(("89_01", "90_08", "90_11"), SLOW),
}
UNKNOWN = frozenset(("74_19", "77_23", "84_15", "90_27"))


def capture_fps(trial: str) -> float | None:
    """Frames per second of a trial, as "02_01"; None where it is not known."""
    if trial in UNKNOWN:
        return None
    subject = trial.partition("_")[0]
    return EXCEPTIONS.get(trial, SLOW if subject in SLOW_SUBJECTS else FAST)
