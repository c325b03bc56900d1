"""Words without their endings: walks, walked and walking are one."""

import re

WORD = re.compile(r"[^\W_]+")
_VOWEL = re.compile(r"[aeiouy]")


def stem(word: str) -> str:
    """A word without its commonest English endings: walks, walked and walking are one.

    Plural and third person first, then -ed and -ing where three letters with a vowel stay, then a
    doubled last consonant, a last e, and y as i. It need not be a word, only the same for all.
    """
    if (word.endswith("ies") and len(word) > 4) or re.search(r"(ss|x|z|ch|sh)es$", word):
        word = word[:-2]
    elif word.endswith("s") and not word.endswith(("ss", "us", "is")) and len(word) > 3:
        word = word[:-1]
    for ending in ("ing", "ed"):
        rest = word.removesuffix(ending)
        if rest != word and len(rest) >= 3 and _VOWEL.search(rest):
            word = rest
            if word[-1] == word[-2] and word[-1] not in "aeiouyls":
                word = word[:-1]
            break
    if len(word) > 3 and word.endswith("e"):
        word = word[:-1]
    return word[:-1] + "i" if len(word) > 2 and word.endswith("y") else word


def stems(text: str) -> list[str]:
    """The stems of a sentence's words, in its order."""
    return [stem(word) for word in WORD.findall(text.lower())]
