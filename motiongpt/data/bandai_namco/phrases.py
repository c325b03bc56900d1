"""What each content shows, as phrases: verbs in angle brackets, slots in braces.

Slots: {manner} the style, {their} the possessive of the person. A detail is a list of several
ways to say one measured thing; a sentence takes some details, each once.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from motiongpt.data.bandai_namco import facts
from motiongpt.data.bandai_namco.measurements import SIDES, Measurements


@dataclass(frozen=True)
class Phrases:
    """`cores` say what is done; `details` what was measured, in the order they are said."""

    cores: tuple[str, ...]
    details: tuple[tuple[str, ...], ...] = field(default=())


def phrases(content: str, measured: Measurements) -> Phrases:
    """The ways to describe a clip of this content with these measurements."""
    return _CONTENTS[content](measured)


def _present(*details: tuple[str, ...]) -> tuple[tuple[str, ...], ...]:
    """Without the ways that have nothing to say."""
    kept = (tuple(way for way in ways if way) for ways in details)
    return tuple(ways for ways in kept if ways)


def _filled(template: str, value: str) -> str:
    return template.format(value) if value else ""


def _duration(measured: Measurements) -> tuple[str, ...]:
    return (_filled("for {}", facts.seconds(measured.seconds)),)


def _pace(kind: str, measured: Measurements) -> tuple[str, ...]:
    ways = {
        "slow": ("slowly", "at a slow pace"),
        "fast": ("quickly", "at a fast pace"),
        "": (),
    }[facts.pace(kind, measured)]
    # The figure itself tells clips of one pace apart.
    return (*ways, f"at about {measured.speed:.1f} meters per second")


def _extent(measured: Measurements) -> tuple[str, ...]:
    distance = facts.metres(measured.distance)
    return (
        _filled("for {}", distance),
        _filled("over a distance of {}", distance),
        *_duration(measured),
    )


def _going(kind: str, *cores: str) -> Callable[[Measurements], Phrases]:
    def describe(measured: Measurements) -> Phrases:
        line = ("in a straight line",) if facts.straight(measured) else ()
        steps = (_filled(", taking {}", facts.steps(measured)),)
        return Phrases(cores, _present(_pace(kind, measured), line, _extent(measured), steps))

    return describe


def _running(measured: Measurements) -> Phrases:
    """A run that is plainly not fast may be called a jog."""
    runs = ("<run> {manner}", "<run> forward {manner}", "<run> ahead {manner}")
    jogs = ("<jog> {manner}", "<jog> forward {manner}") if measured.speed < 2.3 else ()
    return _going("run", *runs, *jogs)(measured)


def _diagonal(side: str) -> Callable[[Measurements], Phrases]:
    def describe(measured: Measurements) -> Phrases:
        return Phrases(
            (
                f"<walk> diagonally forward to the {side} {{manner}}",
                f"<walk> {{manner}} diagonally to the {side}",
                f"<walk> {{manner}} forward and diagonally to {{their}} {side}",
            ),
            _present(
                _pace("walk", measured),
                _extent(measured),
                (_filled(", taking {}", facts.steps(measured)),),
            ),
        )

    return describe


def _turning(side: str) -> Callable[[Measurements], Phrases]:
    def describe(measured: Measurements) -> Phrases:
        angle = facts.degrees(measured.turn)
        distance = facts.metres(measured.distance)
        return Phrases(
            (
                f"<walk> forward {{manner}}, <turn> {angle} to the {side} and <walk> on",
                f"<walk> {{manner}}, then <turn> {side} and <keep> walking",
                f"<walk> {{manner}} and <turn> {side} {_filled('by {}', angle)} on the way",
                f"<walk> ahead, <turn> to {{their}} {side} and <continue> walking {{manner}}",
                f"<walk> {{manner}} and <make> a {side} turn of {angle}"
                if angle
                else f"<walk> {{manner}} and <make> a {side} turn",
            ),
            _present(
                (
                    _filled(", covering {}", distance),
                    _filled(", walking {} in all", distance),
                    _filled(", taking {}", facts.steps(measured)),
                    _filled(", all in {}", facts.seconds(measured.seconds)),
                    f", moving at about {measured.speed:.1f} meters per second",
                ),
            ),
        )

    return describe


def _hands(side: str) -> tuple[tuple[str, ...], str, str]:
    """The sides it is about, the hands' name, and the pronoun for them."""
    return (SIDES, "both hands", "them") if side == "both" else ((side,), f"{side} hand", "it")


def _waving(side: str, *greetings: str) -> Callable[[Measurements], Phrases]:
    def describe(measured: Measurements) -> Phrases:
        sides, hands, them = _hands(side)
        the_hands = hands if side == "both" else f"{{their}} {hands}"
        pace = {"slow": ("slowly",), "fast": ("quickly", "rapidly"), "": ()}
        times = facts.swings(sides, measured)
        heights = {
            "above head": (", reaching above {their} head", ", up above {their} head"),
            "head": (", up to the height of {their} head",),
            "shoulder": (", no higher than {their} shoulders",),
            "low": (", keeping below {their} shoulders",),
            "": (),
        }
        return Phrases(
            (
                f"<wave> {the_hands} {{manner}}",
                f"<wave> {{manner}} with {the_hands}",
                f"<raise> {the_hands} and <wave> {them} {{manner}}",
                *(f"<wave> {greeting} {{manner}} with {the_hands}" for greeting in greetings),
            ),
            _present(
                pace[facts.swing_pace(sides, measured)],
                (f"about {facts.number(times)} times" if times else "", *_duration(measured)),
                heights[facts.height(sides, measured)],
            ),
        )

    return describe


def _raising(side: str, *cores: str) -> Callable[[Measurements], Phrases]:
    def describe(measured: Measurements) -> Phrases:
        sides, hands, them = _hands(side)
        the_hands = hands if side == "both" else f"{{their}} {hands}"
        the_arms = the_hands.replace("hand", "arm")
        where = {
            "above head": "above {their} head",
            "head": "to the height of {their} head",
            "shoulder": "to shoulder height",
            "low": "below shoulder height",
            "": "",
        }[facts.height(sides, measured)]
        time = facts.seconds(measured.seconds)
        return Phrases(
            cores
            or (
                f"<raise> {the_hands} {where} {{manner}} and <lower> {them} again",
                f"<lift> {the_arms} {where} and <bring> {them} down again {{manner}}",
                f"<raise> {the_arms} {{manner}} {where}, then <bring> {them} back down",
                f"<lift> {the_hands} {{manner}} {where} and <put> {them} down",
            ),
            _present((_filled(", all in {}", time), _filled(", which takes {}", time))),
        )

    return describe


def _bowing(measured: Measurements) -> Phrases:
    how = {"deep": "a deep", "slight": "a slight", "": "a"}[facts.depth(measured)]
    bend = f"about {5 * round(measured.bend / 5.0)} degrees"
    return Phrases(
        ("<bow> {manner}", f"<give> {how} bow {{manner}}", f"<make> {how} bow {{manner}}"),
        _present(
            (f", bending forward {bend}", f", leaning forward by {bend}"),
            (_filled(", all in {}", facts.seconds(measured.seconds)),),
        ),
    )


def _guiding(measured: Measurements) -> Phrases:
    hand = measured.busier_hand()
    using = f"with {{their}} {hand} hand" if hand else "with a gesture"
    return Phrases(
        (
            f"<guide> another person {{manner}} {using}",
            f"<show> another person the way {{manner}} {using}",
            f"<gesture> {using} to guide another person {{manner}}",
        ),
        _present(_duration(measured)),
    )


def _kicking(measured: Measurements) -> Phrases:
    turns = facts.full_turns(measured)
    spins = f", going around {facts.number(turns)} times in total" if turns > 1 else ""
    return Phrases(
        (
            "<perform> spinning kicks with {their} right leg {manner}",
            "<kick> with {their} right leg {manner}, spinning around",
            "<do> spinning kicks with the right leg {manner}",
        ),
        _present((spins,), _duration(measured)),
    )


def _dancing(measured: Measurements) -> Phrases:
    """Without a duration: the clips begin with a wait of several seconds."""
    return Phrases(
        (
            "<stand> still and then <start> to dance {manner}",
            "<wait> for a while before starting to dance {manner}",
            "<stand> and <wait>, then <start> to dance {manner}",
        )
    )


def _plain(*cores: str) -> Callable[[Measurements], Phrases]:
    return lambda measured: Phrases(cores, _present(_duration(measured)))


_WALKS = ("<walk> forward {manner}", "<walk> {manner}", "<walk> ahead {manner}")
_CONTENTS: Mapping[str, Callable[[Measurements], Phrases]] = {
    "walk": _going("walk", *_WALKS),
    "walk-back": _going("walk-back", "<walk> backward {manner}", "<walk> {manner} backwards"),
    "walk-left": _diagonal("left"),
    "walk-right": _diagonal("right"),
    "walk-turn-left": _turning("left"),
    "walk-turn-right": _turning("right"),
    "run": _running,
    "dash": _going("dash", "<dash> forward {manner}", "<sprint> {manner}", "<dash> {manner}"),
    "wave-left-hand": _waving("left"),
    "wave-right-hand": _waving("right"),
    "wave-both-hands": _waving("both"),
    "bye": _waving("right", "goodbye", "bye"),
    "byebye": _waving("both", "goodbye", "bye-bye"),
    "raise-up-left-hand": _raising("left"),
    "raise-up-right-hand": _raising("right"),
    "raise-up-both-hands": _raising("both"),
    "respond": _raising(
        "left",
        "<raise> {their} left hand {manner} in response",
        "<lift> {their} left hand {manner} to answer",
        "<respond> {manner} by raising {their} left hand",
    ),
    "bow": _bowing,
    "guide": _guiding,
    "call": _plain(
        "<call> out to another person {manner}",
        "<lean> forward and <call> out {manner}",
        "<call> another person over {manner}",
    ),
    "kick": _kicking,
    "punch": _plain(
        "<throw> a series of punches {manner}", "<punch> the air {manner}",
        "<step> around and <punch> {manner}",
    ),
    "slash": _plain(
        "<slash> through the air {manner} as if with a sword", "<make> slashing moves {manner}",
        "<slash> at someone {manner} with an imaginary sword",
    ),
    "dance-short": _dancing,
    "dance-long": _dancing,
}  # fmt: skip
