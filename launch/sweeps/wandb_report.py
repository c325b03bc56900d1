"""A sweep as a report of W&B: numbers against what was swept, curves, films, the table.

Made anew from the sweep's record, so that every sweep has the same report, by `wandb-workspaces`
(extra `reports`), W&B's library for it. What it shows are the runs that a server has.
"""

import os
from collections.abc import Mapping, Sequence
from typing import Any

from evaluation.requests.kinds import KIND_OF_TASK
from launch.composition.seeds import SEED
from launch.loggers.naming import swept_names
from launch.loggers.wandb_mode import wandb_mode
from launch.loggers.wandb_server import GLOBAL_STEP, check_server, quiet_wandb
from launch.runs.ledger import Run
from launch.sweeps.agent_run import OWN_ROW
from launch.sweeps.curves import curves_of
from launch.sweeps.record import Sweep
from launch.sweeps.table import SweepTable, table_of
from motiongpt.errors import UserError

PANELS = 12
"""Plots of one heading at most: a wall of them is looked at by nobody."""
LONGEST_TITLE = 128
THIRD, HALF, WHOLE = 8, 12, 24  # of the 24 columns of a report


def save_wandb_report(sweep: Sweep) -> str:
    """Make the report in the sweep's project on W&B's server; returns its address.

    Raises:
        UserError: the sweep is not logged to W&B, or there is no library, no server or no project.
    """
    node = sweep.config.get("logger", {}).get("wandb")
    if not node:
        raise UserError(f"{sweep.name} is not logged to W&B: logger=wandb does")
    if wandb_mode("online") != "online":
        raise UserError("a report needs W&B's server, and WANDB_MODE or WANDB_DISABLED forbids it")
    wandb = quiet_wandb()
    try:
        check_server(wandb.setup().settings.base_url)
        entity = node.get("entity") or os.environ.get("WANDB_ENTITY") or wandb.Api().default_entity
        report = wandb_report(sweep, node["project"], entity)
        return str(report.save().url)
    except (ConnectionError, ValueError, wandb.Error) as error:
        raise UserError(f"no report was made: {str(error).partition(chr(10))[0]}") from error


def wandb_report(sweep: Sweep, project: str, entity: str) -> Any:
    """The report, not yet saved: a `wandb_workspaces.reports.v2.Report`.

    Raises:
        UserError: `wandb-workspaces` is not installed, or no experiment has a result.
    """
    wr = _library()
    table = table_of(sweep)
    if not table.rows:
        raise UserError(f"{sweep.name}: no experiment has a result yet")
    shown = table.only(sweep.config.get("shown", []))
    place = {"project": project, "entity": entity}

    def grid(kind: str, panels: Sequence[Any]) -> Any:
        chosen = f"Group = '{sweep.group}' and JobType = '{kind}'"
        return wr.PanelGrid(runsets=[wr.Runset(**place, name=kind, filters=chosen)], panels=panels)

    blocks = [wr.CodeBlock(code=sweep.command, language=None), wr.H2("Results")]
    for goal in dict.fromkeys(stage for _, stage, _, _ in table.rows):
        blocks.append(grid(goal, _results(wr, sweep, shown)))
        if media := _media(wr, table):
            blocks += [wr.H2("What was generated"), grid(goal, media)]
    if curves := {stage: panels for stage, panels in _curves(wr, sweep).items() if panels}:
        blocks.append(wr.H2("Training"))
        for stage, panels in curves.items():
            blocks += [wr.H3(stage), grid(stage, panels)]
    layout = wr.Layout(w=WHOLE, h=10)
    points = wr.WeavePanelSummaryTable(table_name="points", layout=layout)
    blocks += [wr.H2("All experiments"), grid("sweep", [points])]
    return wr.Report(
        **place, title=f"sweep {sweep.name}"[:LONGEST_TITLE], blocks=blocks, width="fluid"
    )


def _library() -> Any:
    try:
        import wandb_workspaces.reports.v2 as reports
    except ImportError as error:
        raise UserError(
            f"{error}; a report needs: pip install 'motiongpt-platform[reports]'"
        ) from error
    return reports


def _results(wr: Any, sweep: Sweep, shown: SweepTable) -> list[Any]:
    """Parallel coordinates and importance of what was swept; each number against each option."""
    metrics = [f"final/{name}" for name in shown.metrics]
    of_point = [swept_names(" ".join(point.words)) for point in sweep.points]
    axes = [of_point[0].get(axis, axis) for axis in shown.axes if axis != SEED]
    if not axes:
        return [wr.BarPlot(metrics=[name], layout=wr.Layout(w=THIRD)) for name in metrics[:PANELS]]
    columns = [
        *(wr.ParallelCoordinatesPlotColumn(metric=wr.Config(axis)) for axis in axes),
        *(wr.ParallelCoordinatesPlotColumn(metric=wr.SummaryMetric(name)) for name in metrics[:6]),
    ]
    wide = wr.Layout(w=HALF, h=8)
    plots = [
        wr.ScatterPlot(
            title=f"{name.removeprefix('final/')} against {axis}",
            x=wr.Config(axis),
            y=wr.SummaryMetric(name),
            layout=wr.Layout(w=THIRD),
        )
        for name in metrics
        for axis in axes
    ]
    return [
        wr.ParallelCoordinatesPlot(columns=columns, layout=wide),
        wr.ParameterImportancePlot(with_respect_to=metrics[0], layout=wide),
        *plots[:PANELS],
    ]


def _media(wr: Any, table: SweepTable) -> list[Any]:
    """Films and sentences of each task that an evaluation judged."""
    tasks = dict.fromkeys(name.partition(OWN_ROW)[0] for name in table.metrics if OWN_ROW in name)
    kinds = {task: KIND_OF_TASK.get(task) for task in tasks}  # reconstruction is none that is asked
    films = [f"{task}/motions" for task, kind in kinds.items() if kind != "text"]
    sentences = [f"{task}/sentences" for task, kind in kinds.items() if kind == "text"]
    layout = wr.Layout(w=WHOLE, h=10)
    return [
        *(wr.MediaBrowser(title=name, media_keys=[name], layout=layout) for name in films),
        *(wr.WeavePanelSummaryTable(table_name=name, layout=layout) for name in sentences),
    ]


def _curves(wr: Any, sweep: Sweep) -> Mapping[str, list[Any]]:
    """Stage -> plots of its validation metrics."""
    names: dict[str, dict[str, None]] = {}
    for stage, signature in {tuple(one): None for point in sweep.points for one in point.stages}:
        found = names.setdefault(stage, {})
        found.update(dict.fromkeys(curves_of(Run(sweep.root, stage, signature))))
    return {
        stage: [
            wr.LinePlot(title=name, x=GLOBAL_STEP, y=[name], layout=wr.Layout(w=THIRD))
            for name in list(found)[:PANELS]
        ]
        for stage, found in names.items()
    }
