"""`seeds=N`: the same experiments with N training seeds, as one word of the command line."""

from collections.abc import Callable, Sequence

from launch.composition.compose import compose_config
from launch.composition.overrides import parse_overrides
from motiongpt.errors import UserError

SEED, SEEDS = "seed", "seeds"


def asks_for_seeds(words: Sequence[str]) -> bool:
    """Whether one of the words is `seeds=`, with Hydra's + before it too."""
    return any(word.lstrip("+").startswith(f"{SEEDS}=") for word in words)


def with_seeds(
    words: Sequence[str], points: Callable[[Sequence[str]], Sequence[Sequence[str]]]
) -> list[str]:
    """`words` with `seeds=N` written out as the sweep `seed=S,S+1,...`; without it, as they are.

    S is the seed that the experiment has anyway, so that a model which is there is one of the N.

    Args:
        points: from overrides to those of each experiment.

    Raises:
        UserError: no whole number of at least 1, given twice, or beside several values of `seed`.
    """
    asked = [word for word in words if asks_for_seeds([word])]
    if not asked:
        return list(words)
    others = [word for word in words if word not in asked]
    count = asked[0].partition("=")[2]
    plain = len(asked) == 1 and not asked[0].startswith("+")
    if not plain or not count.isascii() or not count.isdigit() or int(count) < 1:
        raise UserError(
            f"{' '.join(asked)}: how many models are trained, each with its seed: once, as seeds=3"
        )
    given = [one for one in parse_overrides(others) if one.key_or_group == SEED]
    if any(one.is_sweep_override() for one in given):
        raise UserError(f"{asked[0]} and {given[-1].input_line}: give one of the two")
    first = int(compose_config(points(others)[0]).seed)
    kept = [word for word in others if word.partition("=")[0] != SEED]
    return [*kept, f"{SEED}={','.join(str(first + one) for one in range(int(count)))}"]
