"""The fifteen categories of words that the T2M text encoder knows.

Nine tags of the universal part-of-speech set, five lists of words that say much about motion
(they win over the tag), and OTHER. Order and lists are those that the published weights were
trained with (T2M's word vectorizer).
"""

TAGS = ("VERB", "NOUN", "DET", "ADP", "NUM", "AUX", "PRON", "ADJ", "ADV")
OTHER = "OTHER"

LISTS = {
    "Loc_VIP": (
        "left right clockwise counterclockwise anticlockwise forward back backward up down "
        "straight curve"
    ),
    "Body_VIP": "arm chin foot feet face hand mouth leg waist eye knee shoulder thigh",
    "Obj_VIP": "stair dumbbell chair window floor car ball handrail baseball basketball",
    "Act_VIP": (
        "walk run swing pick bring kick put squat throw hop dance jump turn stumble stop sit lift "
        "lower raise wash stand kneel stroll rub bend balance flap jog shuffle lean rotate spin "
        "spread climb"
    ),
    "Desc_VIP": (
        "slowly carefully fast careful slow quickly happy angry sad happily angrily sadly"
    ),
}

CATEGORIES = (*TAGS, *LISTS, OTHER)
"""Names of the channels of the one-hot vector."""

_LISTED = {word: name for name, words in LISTS.items() for word in words.split()}


def category(word: str, tag: str) -> int:
    """The index in `CATEGORIES` of a word that has a vector; an unknown tag counts as OTHER."""
    name = _LISTED.get(word, tag)
    return CATEGORIES.index(name if name in CATEGORIES else OTHER)
