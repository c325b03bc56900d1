"""Several systems' captions under every protocol: what `score captions` does with more than one."""

import argparse
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from hydra.errors import HydraException
from omegaconf import DictConfig
from tqdm import tqdm

from evaluation.captions.base import CaptionBackEnd
from evaluation.captions.bert import BertScoreBackEnd
from evaluation.captions.court.bootstrap import resampled_scores
from evaluation.captions.court.findings import find
from evaluation.captions.court.preparation import PREPARATIONS, prepare
from evaluation.captions.court.report import write_court
from evaluation.captions.court.results import Court, file_facts
from evaluation.captions.court.scoring import LeftOut, Scored, protocol_name, score_systems
from evaluation.captions.court.tables import (
    LEGEND,
    disagreement_table,
    left_out_lines,
    reversal_table,
    score_tables,
    summary,
    undecided_table,
)
from evaluation.captions.files import System, read_tokens
from launch.composition.build import build
from launch.composition.compose import compose_config
from launch.composition.overrides import choices, parse_overrides
from launch.runs.sources import git_state
from launch.tables import text_table
from motiongpt.errors import UserError, user_error_behind
from motiongpt.preflight import Outlook, preflight

GROUP, BERT = "captions", BertScoreBackEnd.name
BACK_ENDS = (*choices(GROUP), BERT)
DEFAULT = "coco"  # of conf/config.yaml: what overrides are about where they name no other
MOST_ROWS = 20  # of a table that is printed
VALID = (
    f"{', '.join(PREPARATIONS)}, or one of them behind a package, as {BACK_ENDS[0]}/"
    f"{PREPARATIONS[0]} (packages: {', '.join(BACK_ENDS)})"
)

References = Mapping[str, Sequence[str]]
Systems = Mapping[str, Mapping[str, str]]
Bar = Callable[[Iterable[Any]], Iterable[Any]]


def compare(
    options: argparse.Namespace,
    references: References,
    systems: Mapping[str, System],
    started: float,
) -> int:
    """Score, resample, test; print the tables, and write them where a folder is named.

    Raises:
        UserError: an unknown protocol, too few drawings, or nothing that could be scored.
    """
    wanted = _wanted(options.protocol)
    _check(options)
    tokens = read_tokens(options.references, references)
    sentences = {name: one.sentences for name, one in systems.items()}
    scored = _scored(options, wanted, references, sentences, tokens)
    statistics = scored.statistics
    if not statistics:
        raise UserError(f"no protocol could be scored: {scored.left_out[0].reason}")
    bar = _bar("drawing clips", "× 100")
    resampled = resampled_scores(list(statistics.values()), options.resamples, options.seed, bar)
    court = Court(
        findings=find(statistics, resampled),
        protocols=scored.protocols,
        left_out=scored.left_out,
        clips=len(references),
        references=file_facts(options.references),
        systems=_system_facts(systems),
        resamples=options.resamples,
        seed=options.seed,
        git=git_state(),
        seconds=time.monotonic() - started,
    )
    _print(court)
    if options.output is not None:
        for file in write_court(court, options.output):
            print(f"wrote {file}")
    return 0


def _check(options: argparse.Namespace) -> None:
    compose_config(options.overrides)
    if options.resamples < 1:
        raise UserError(f"--resamples {options.resamples}: one drawing of the clips is the least")
    if options.seed < 0:
        raise UserError(f"--seed {options.seed}: a seed is 0 or more")
    if options.output is not None and options.output.is_file():
        raise UserError(f"--output {options.output}: a file; name a folder")


def _wanted(names: Sequence[str]) -> list[tuple[str, str]]:
    """(preparation, back end) of the protocols named, or of all."""
    every = [(preparation, back_end) for preparation in PREPARATIONS for back_end in BACK_ENDS]
    chosen = []
    for name in names:
        found = [one for one in every if name in (one[0], protocol_name(one[1], one[0]))]
        if not found:
            raise UserError(f"{name}: no such caption protocol; valid: {VALID}")
        chosen += found
    return [one for one in every if one in chosen] if names else every


def _scored(
    options: argparse.Namespace,
    wanted: Sequence[tuple[str, str]],
    references: References,
    systems: Systems,
    tokens: Mapping[str, Sequence[str]] | None,
) -> Scored:
    scored = Scored()
    back_ends = dict(_back_ends(options, wanted, scored))
    bar = tqdm(total=len(wanted) * len(systems), desc="scoring", unit="system", disable=None)
    with bar:
        for preparation in dict.fromkeys(name for name, _ in wanted):
            mine = [back_end for name, back_end in wanted if name == preparation]
            try:
                shown = _bar("words of captions", "caption")
                prepared = prepare(preparation, references, systems, tokens, shown)
            except UserError as error:
                scored.left_out += [
                    LeftOut(protocol_name(name, preparation), "", str(error)) for name in mine
                ]
                bar.update(len(mine) * len(systems))
                continue
            for name in mine:
                bar.set_postfix_str(protocol_name(name, preparation))
                if name in back_ends:
                    score_systems(back_ends[name], prepared, scored, bar.update)
                else:
                    bar.update(len(systems))
    return scored


def _back_ends(
    options: argparse.Namespace, wanted: Sequence[tuple[str, str]], scored: Scored
) -> Iterator[tuple[str, CaptionBackEnd]]:
    """Those that can be had; the others are left out with their reason.

    Raises:
        UserError: one that was asked for by its name can't be had.
    """
    overrides = parse_overrides(options.overrides)
    named = {one.value() for one in overrides if one.key_or_group == GROUP}
    named |= {BERT} if options.bert else set()
    for name in dict.fromkeys(name for _, name in wanted):
        try:
            yield name, _back_end(name, options)
        except (UserError, HydraException) as error:
            reason = user_error_behind(error)
            if reason is None or name in named:
                raise
            scored.left_out += [
                LeftOut(protocol_name(name, preparation), "", str(reason))
                for preparation, other in wanted
                if other == name
            ]


def _back_end(name: str, options: argparse.Namespace) -> CaptionBackEnd:
    """As the overrides have it, where they are about this one; else as in its yaml."""
    if name == BERT:
        config = compose_config(["metrics=[all,bert_score]", *options.overrides])
        bert = bert_back_end(config, options.bert)
        tuple(preflight(bert, Outlook()))
        return bert
    chosen = [one for one in parse_overrides(options.overrides) if one.key_or_group == GROUP]
    overrides = options.overrides if name == (chosen[-1].value() if chosen else DEFAULT) else []
    config = compose_config(overrides or [f"{GROUP}={name}"])
    built: CaptionBackEnd = build(config.captions.back_end, "captions.back_end")
    return built


def bert_back_end(config: DictConfig, model: str | None) -> BertScoreBackEnd:
    """The back end of `metrics=bert_score`, perhaps with another model or a local copy of its own.

    Raises:
        UserError: the package is absent, or a folder without a model.
    """
    given = {} if model is None else {"folder" if Path(model).is_dir() else "model": model}
    back_end: BertScoreBackEnd = build(config.metrics.bert_score.back_end, **given)
    return back_end


def _system_facts(systems: Mapping[str, System]) -> list[dict[str, Any]]:
    return [
        {
            "name": name,
            **file_facts(one.path),
            "empty": sum(not text.strip() for text in one.sentences.values()),
        }
        for name, one in systems.items()
    ]


def _bar(words: str, unit: str) -> Bar:
    return partial(tqdm, desc=words, unit=unit, leave=False, disable=None)


def _print(court: Court) -> None:
    tables = [
        *score_tables(court),
        disagreement_table(court),
        reversal_table(court),
        undecided_table(court),
    ]
    for table in tables:
        if table.rows:
            more = len(table.rows) - MOST_ROWS
            print(f"{table.title}\n{text_table(table.head, table.rows[:MOST_ROWS])}")
            print(f"… {more} more rows: --output FOLDER writes all\n" if more > 0 else "")
    print("\n".join([LEGEND + ".", *summary(court), *left_out_lines(court)]))
