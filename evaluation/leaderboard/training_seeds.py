"""Results of one recipe joined over its training seeds.

Two kinds of spread stay apart: how far another training moves a number (`SeedSpread.deviation`,
`SeedSpread.interval`), and how far other draws of one trained model do (`SeedSpread.replications`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace

from evaluation.leaderboard.runs import digest, setting_key
from evaluation.replications.intervals import SeedSpread
from evaluation.replications.results import REAL, Result
from evaluation.reports.results_file import ResultsFile

Name = tuple[str, str, str]  # task, row, metric
ONE_RUN, REPLICATIONS = "one training run", "replications"


@dataclass(frozen=True)
class JoinedRuns(ResultsFile):
    """Several trained models of one recipe as one row.

    `results` are means over the models, with Student's t interval over the training seeds; numbers
    that no training seed moves (real motion, chance) keep the interval over their replications.

    Attributes:
        members: the models, by their seeds.
        spreads: (task, row, metric) -> both spreads, of the numbers that training moves.
    """

    members: tuple[ResultsFile, ...] = ()
    spreads: Mapping[Name, SeedSpread] = field(default_factory=dict)


def over_training_seeds(runs: Sequence[ResultsFile]) -> list[ResultsFile]:
    """`runs` with those of one recipe and one setting joined, in the place of the first of them.

    Joined are only models no two of which share the seed of a stage: a tokenizer that all of them
    share would make the spread look smaller than it is.
    """
    groups: dict[tuple[str, ...], list[ResultsFile]] = {}
    for run in runs:
        recipe = str(run.training.get("recipe", "")) if run.training_seeds else ""
        alone = () if recipe else (run.signature, digest(run.protocol), run.method.name)
        groups.setdefault((recipe, run.stage, *setting_key(run), *alone), []).append(run)
    found: list[ResultsFile] = []
    for members in groups.values():
        if len(members) > 1 and _independent(members):
            found.append(_joined(sorted(members, key=_seeds)))
        else:
            found += members
    order = {id(run): index for index, run in enumerate(runs)}
    return sorted(found, key=lambda run: min(order[id(one)] for one in members_of(run)))


def members_of(run: ResultsFile) -> tuple[ResultsFile, ...]:
    """The models behind a row: those that were joined, or the one."""
    return run.members if isinstance(run, JoinedRuns) else (run,)


def spread_of(run: ResultsFile, number: Result) -> SeedSpread | None:
    """Both spreads of a number; None where it is of one model, or no training moves it."""
    if not isinstance(run, JoinedRuns):
        return None
    return run.spreads.get((number.task, number.row, number.metric))


def spread_used(run: ResultsFile, number: Result) -> str:
    """Which spread a number's interval is of, in words: "3 training seeds", "replications" of what
    nobody trained, or "one training run"."""
    spread = spread_of(run, number)
    if spread is not None:
        return f"{len(spread.values)} training seeds"
    if number.row == REAL or isinstance(run, JoinedRuns):
        return REPLICATIONS
    trained = bool(run.training_seeds) or not run.training  # older files do not say
    return ONE_RUN if trained else REPLICATIONS


def _independent(members: Sequence[ResultsFile]) -> bool:
    stages = members[0].training_seeds
    return all(
        len({one.training_seeds.get(stage) for one in members}) == len(members) for stage in stages
    )


def _seeds(run: ResultsFile) -> list[int]:
    return list(run.training_seeds.values())


def _joined(members: Sequence[ResultsFile]) -> JoinedRuns:
    newest = max(members, key=lambda run: run.time)
    results, spreads = [], {}
    for number in newest.results:
        name = (number.task, number.row, number.metric)
        numbers = [found for one in members if (found := one.number(*name)) is not None]
        if len(numbers) < len(members):
            continue  # what one model lacks has no mean over all of them
        values = [one.value for one in numbers]
        if len(set(values)) > 1:
            spreads[name] = SeedSpread.of(values, [one.interval for one in numbers])
            number = replace(number, value=spreads[name].mean, interval=spreads[name].interval)
        results.append(number)
    plain = {one.name: getattr(newest, one.name) for one in fields(ResultsFile)}
    recipe = newest.training["recipe"]
    models = {one.signature: dict(one.training_seeds) for one in members}
    changed = {
        "results": tuple(results),
        "signature": recipe,
        "training": {"recipe": recipe, "seeds": newest.training_seeds, "models": models},
    }
    return JoinedRuns(
        **{**plain, **changed},
        members=tuple(members),
        spreads=spreads,
    )
