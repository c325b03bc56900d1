"""The contents of the file names as labels, and the words by which a caption names a label.

Contents that show the same motion share labels: bye is a wave of the right hand, byebye of both,
respond raises the left hand, and the second set's walk-turn-* is a walk with a turn in it.
"""

from collections.abc import Mapping

LABELS: Mapping[str, tuple[str, ...]] = {
    "walk": ("walk",),
    "walk-back": ("walk_backward",),
    "walk-left": ("walk_diagonally_left",),
    "walk-right": ("walk_diagonally_right",),
    "walk-turn-left": ("walk", "turn_left"),
    "walk-turn-right": ("walk", "turn_right"),
    "run": ("run",),
    "dash": ("dash",),
    "wave-left-hand": ("wave_left_hand",),
    "wave-right-hand": ("wave_right_hand",),
    "wave-both-hands": ("wave_both_hands",),
    "bye": ("wave_right_hand",),
    "byebye": ("wave_both_hands",),
    "raise-up-left-hand": ("raise_left_hand",),
    "raise-up-right-hand": ("raise_right_hand",),
    "raise-up-both-hands": ("raise_both_hands",),
    "respond": ("raise_left_hand",),
    "bow": ("bow",),
    "guide": ("guide",),
    "call": ("call",),
    "kick": ("kick",),
    "punch": ("punch",),
    "slash": ("slash",),
    "dance-short": ("dance",),
    "dance-long": ("dance",),
}

_WAVE = r"\bwav(?:e|es|ing)\b"
_RAISE = r"\b(?:rais|lift)(?:e|es|s|ing)?\b"
_WALK = r"\bwalk(?:s|ing)?\b"


def _turn(side: str, other: str) -> tuple[str, ...]:
    to_side = rf"\bturn(?:s|ing)?\b(?:(?!\b{other}\b).)*?\b{side}\b"
    return to_side, rf"\b{side} turn\b", rf"\b{side}-hand turn\b"


def _with_hand(verb: str, side: str, without: str = "") -> tuple[str, ...]:
    hand = r"\bboth (?:hands|arms)\b" if side == "both" else rf"\b{side} (?:hand|arm)\b"
    unless = f"(?!.*{without})" if without else ""
    return (f"^(?=.*{verb})(?=.*{hand}){unless}",)


ACTION_WORDS: Mapping[str, tuple[str, ...]] = {
    "walk": (rf"^(?!.*\bbackwards?\b)(?!.*\bdiagonal).*{_WALK}",),
    "walk_backward": (rf"{_WALK}.*\bbackwards?\b", rf"\bbackwards?\b.*{_WALK}"),
    "walk_diagonally_left": (r"\bdiagonal(?:(?!\bright\b).)*\bleft\b",),
    "walk_diagonally_right": (r"\bdiagonal(?:(?!\bleft\b).)*\bright\b",),
    "turn_left": _turn("left", "right"),
    "turn_right": _turn("right", "left"),
    "run": (r"\b(?:runs?|running|jogs?|jogging)\b",),
    "dash": (r"\b(?:dash|sprint)(?:es|s|ing)?\b",),
    "wave_left_hand": _with_hand(_WAVE, "left"),
    "wave_right_hand": _with_hand(_WAVE, "right"),
    "wave_both_hands": _with_hand(_WAVE, "both"),
    "raise_left_hand": _with_hand(_RAISE, "left", _WAVE),
    "raise_right_hand": _with_hand(_RAISE, "right", _WAVE),
    "raise_both_hands": _with_hand(_RAISE, "both", _WAVE),
    "bow": (r"\bbow(?:s|ing)?\b",),
    "guide": (r"\bguid(?:e|es|ing)\b", r"\bshow(?:s|ing)?(?: \w+){1,3} the way\b"),
    "call": (r"\bcall(?:s|ing)?\b",),
    "kick": (r"\bkick(?:s|ing)?\b",),
    "punch": (r"\bpunch(?:es|ing)?\b",),
    "slash": (r"\bslash(?:es|ing)?\b",),
    "dance": (r"\bdanc(?:e|es|ing)\b",),
}
