"""Golden vectors of MoMask's decoding: schedule, filter, filling in, codebook after codebook."""

import re
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from motiongpt.methods.momask.decoding import (
    KEPT,
    Choose,
    Logits,
    Step,
    add_codebooks,
    codes_of,
    fill_in,
    likeliest,
    masked_counts,
    masked_logits,
    residual_logits,
)
from motiongpt.methods.momask.masked import MaskedTransformer
from motiongpt.methods.momask.residual import ResidualTransformer
from tests.golden.momask_parts import GUIDED, OUTPUT, Arrays, tensor

DEFAULTS = {"temperature": 1, "topk_filter_thres": 0.9, "cond_scale": 2}
REMASKED = 0.16
"""Share of the tokens that editing without a mask draws anew at each step."""


@torch.no_grad()
def check_forward(case: str, arrays: Arrays, report: Any, network: MaskedTransformer) -> None:
    """Logits with and without guidance, the filter and the schedules."""
    ids, text, padding = (tensor(arrays, name) for name in ("ids_in", "cond", "padding_mask"))
    lengths = tensor(arrays, "m_lens")
    hidden = torch.arange(ids.shape[1]) >= lengths[:, None]
    report.exact(case, "padding_mask", hidden, arrays["padding_mask"])
    plain = tensor(arrays, "ids").masked_fill(padding, network.pad)
    report.exact(case, "ids", torch.where(ids == network.mask, ids, plain), ids)
    nothing = torch.zeros_like(text)
    found = {
        "logits": network(ids, text, padding),
        "logits_uncond": network(ids, nothing, padding),
        "logits_force_mask_cfg4": masked_logits(network, nothing, padding, 4)(ids),
    }
    for name in arrays:
        if scale := re.fullmatch(r"logits_cfg(\d+)", name):
            found[name] = masked_logits(network, text, padding, int(scale[1]))(ids)
    for name, value in found.items():
        tolerance = GUIDED if "cfg" in name else OUTPUT
        report.compare(case, name, value.transpose(1, 2), arrays[name], atol=tolerance)
    stored = tensor(arrays, "logits_cfg4").transpose(1, 2)
    for name in arrays:
        if share := re.fullmatch(r"topk_filtered_thres(.+)", name):
            report.compare(case, name, likeliest(stored, float(share[1])), arrays[name])
    _check_schedules(case, arrays, report, lengths)


def _check_schedules(case: str, arrays: Arrays, report: Any, lengths: Tensor) -> None:
    for at in {name.partition("/")[0] for name in arrays if name.startswith("sched")}:
        times = arrays[f"{at}/t"]
        steps = len(times)
        report.exact(case, f"{at}/t", torch.linspace(0, 1, steps).numpy(), times)
        share = np.cos(times * np.float32(np.pi / 2))
        report.compare(case, f"{at}/prob", share, arrays[f"{at}/prob"], atol=OUTPUT)
        counts = masked_counts(lengths, steps)
        report.exact(case, f"{at}/num_masked", counts, arrays[f"{at}/num_masked"])
        name = f"{at}/num_masked_len49"
        report.exact(case, name, masked_counts(torch.tensor([49]), steps)[:, 0], arrays[name])


@torch.no_grad()
def check_generation(case: str, arrays: Arrays, report: Any, network: MaskedTransformer) -> None:
    """Every run of the file, step by step."""
    lengths = tensor(arrays, "m_lens")
    padding = torch.arange(int(lengths.max())) >= lengths[:, None]
    for run in sorted({name.partition("/")[0] for name in arrays if "/" in name}):
        text = tensor(arrays, "cond")
        if arrays.get(f"{run}/arg_force_mask"):
            text = torch.zeros_like(text)
        counts = masked_counts(lengths, int(arrays[f"{run}/arg_timesteps"]))
        ids = torch.full(padding.shape, network.mask).masked_fill(padding, network.pad)
        scores = torch.zeros(padding.shape).masked_fill(padding, KEPT)
        _check_run(case, run, arrays, report, network, text, padding, (ids, scores, counts))


@torch.no_grad()
def check_editing(case: str, arrays: Arrays, report: Any, network: MaskedTransformer) -> None:
    """Editing with a mask, and without one."""
    lengths, tokens, text = (tensor(arrays, name) for name in ("m_lens", "tokens", "cond"))
    padding = torch.arange(tokens.shape[1]) >= lengths[:, None]
    for run in sorted({name.partition("/")[0] for name in arrays if "/" in name}):
        if f"{run}/arg_timesteps" in arrays:
            editable = tensor(arrays, "edit_mask") & ~padding
            ids = tokens.masked_fill(editable, network.mask)
            counts = masked_counts(editable.sum(1), int(arrays[f"{run}/arg_timesteps"]))
            scores = torch.zeros(padding.shape).masked_fill(~editable, KEPT)
        else:
            steps = len(arrays[f"{run}/ids_in"])
            ids = tokens.masked_fill(padding, network.pad)
            counts = (REMASKED * lengths).round().clamp(min=1).long().repeat(steps, 1)
            # At first all are alike: which go first was a sort's choice.
            chosen = tensor(arrays, f"{run}/ids_in")[0] == network.mask
            scores = (~chosen).float().masked_fill(padding, KEPT)
        _check_run(case, run, arrays, report, network, text, padding, (ids, scores, counts))


def _check_run(
    case: str, run: str, arrays: Arrays, report: Any, network: MaskedTransformer, text: Tensor,
    padding: Tensor, start: tuple[Tensor, Tensor, Tensor],
) -> None:  # fmt: skip
    scale = float(_argument(arrays, run, "cond_scale"))
    left_out = float(_argument(arrays, run, "topk_filter_thres"))
    logits_of = masked_logits(network, text, padding, scale)
    filtered: list[Tensor] = []
    choose = _chooser(arrays, run, filtered)
    if f"{run}/arg_timesteps" in arrays:
        steps = list(fill_in(logits_of, *start, network.mask, choose, left_out))
    else:
        steps = _without_keeping(logits_of, *start, network.mask, choose, left_out, padding)
    _check_steps(case, run, arrays, report, steps)
    drawn_by_noise = bool(arrays[f"{run}/arg_gsample"])
    report.exact(case, f"{run}/arg_gsample", f"{run}/gumbel" in arrays, drawn_by_noise)
    if not drawn_by_noise:
        temperature = float(_argument(arrays, run, "temperature"))
        shares = torch.stack([(one / temperature).softmax(-1) for one in filtered])
        report.compare(case, f"{run}/cat_probs", shares, arrays[f"{run}/cat_probs"], atol=GUIDED)
    out = steps[-1].ids.masked_fill(padding, -1)
    report.exact(case, f"{run}/out", out, arrays[f"{run}/out"])


def _without_keeping(
    logits_of: Logits, ids: Tensor, scores: Tensor, counts: Tensor, mask: int, choose: Choose,
    left_out: float, padding: Tensor,
) -> list[Step]:  # fmt: skip
    """Single steps, after each of which every token is as sure as what was drawn in its place."""
    steps: list[Step] = []
    for number, count in enumerate(counts):

        def chosen(_: int, logits: Tensor, number: int = number) -> Tensor:
            return choose(number, logits)

        steps += fill_in(logits_of, ids, scores, count[None], mask, chosen, left_out)
        ids, drawn = steps[-1].ids, steps[-1].drawn[..., None]
        sure = steps[-1].logits.softmax(-1).gather(-1, drawn)[..., 0]
        scores = sure.masked_fill(padding, KEPT)
    return steps


def _check_steps(case: str, run: str, arrays: Arrays, report: Any, steps: Sequence[Step]) -> None:
    masked = torch.stack([step.masked for step in steps])
    report.exact(case, f"{run}/is_mask", masked, arrays[f"{run}/is_mask"])
    inputs = torch.stack([step.inputs for step in steps])
    report.exact(case, f"{run}/ids_in", inputs, arrays[f"{run}/ids_in"])
    logits = torch.stack([step.logits for step in steps]).transpose(2, 3)
    report.compare(case, f"{run}/logits", logits, arrays[f"{run}/logits"], atol=GUIDED)
    drawn = torch.stack([step.drawn for step in steps])
    report.exact(case, f"{run}/pred_ids", drawn, arrays[f"{run}/pred_ids"])
    sure = torch.stack([step.scores for step in steps])[masked]
    report.compare(case, f"{run}/conf", sure, arrays[f"{run}/conf"][masked.numpy()], atol=GUIDED)


def _chooser(arrays: Arrays, run: str, filtered: list[Tensor]) -> Choose:
    """Draws as the file records them; notes what they were drawn from."""
    temperature = float(_argument(arrays, run, "temperature"))

    def choose(number: int, logits: Tensor) -> Tensor:
        filtered.append(logits)
        if f"{run}/gumbel" in arrays:
            noise = tensor(arrays, f"{run}/gumbel")[number]
            return (logits / temperature + noise).argmax(-1)
        return tensor(arrays, f"{run}/pred_ids")[number]

    return choose


def _argument(arrays: Arrays, run: str, name: str) -> Any:
    key = f"{run}/arg_{name}"
    return arrays[key] if key in arrays else DEFAULTS[name]


@torch.no_grad()
def check_residual_decoding(
    case: str, arrays: Arrays, report: Any, network: ResidualTransformer
) -> None:
    """Logits with and without guidance, and codebooks added one after the other."""
    names = ("motion_codes", "qids", "cond", "padding_mask")
    history, which, text, padding = (tensor(arrays, name) for name in names)
    hidden = network.hidden(history, which, text, padding)
    found = {
        "trans_out": hidden,
        "trans_out_uncond": network.hidden(history, which, torch.zeros_like(text), padding),
        "logits_mixed_q": network.logits(hidden, which),
    }
    for name in arrays:
        if at := re.fullmatch(r"logits_q(\d+)_cfg(\d+)", name):
            logits_of = residual_logits(network, text, padding, int(at[2]), int(at[1]))
            found[name] = logits_of(history)
    for name, value in found.items():
        report.compare(case, name, value.transpose(1, 2), arrays[name], atol=GUIDED)
    ids = tensor(arrays, "gen_ids0")
    report.exact(case, "gen_ids0 at pads", (ids < 0).numpy(), padding.numpy())
    for run in sorted({name.partition("/")[0] for name in arrays if re.match("gen_|edit_", name)}):
        if f"{run}/out" in arrays:
            _check_codebooks(case, run, arrays, report, network, (ids, text, padding))


def _check_codebooks(
    case: str, run: str, arrays: Arrays, report: Any, network: ResidualTransformer,
    inputs: tuple[Tensor, Tensor, Tensor],
) -> None:  # fmt: skip
    ids, _, padding = inputs
    scale, left_out, count = (
        _argument(arrays, run, "cond_scale"),
        _argument(arrays, run, "topk_filter_thres"),
        len(arrays[f"{run}/gumbel"]),
    )
    if f"{run}/arg_num_res_layers" in arrays:
        report.exact(case, f"{run}/layers", count, int(arrays[f"{run}/arg_num_res_layers"]))
    choose = _chooser(arrays, run, [])
    layers = list(
        add_codebooks(
            network, *inputs, float(scale), choose, float(left_out), draws_pads=True, count=count
        )
    )
    codes = codes_of(ids, layers, padding, network.pad)
    report.exact(case, f"{run}/out", codes, arrays[f"{run}/out"])
    if f"{run}/history" not in arrays:
        return
    histories = torch.stack([layer.history for layer in layers])
    report.compare(case, f"{run}/history", histories, arrays[f"{run}/history"], atol=OUTPUT)
    logits = torch.stack([layer.logits for layer in layers]).transpose(2, 3)
    report.compare(case, f"{run}/logits", logits, arrays[f"{run}/logits"], atol=GUIDED)
    real = ~padding.expand(len(layers), -1, -1)
    drawn = torch.stack([layer.drawn for layer in layers])
    expected = tensor(arrays, f"{run}/pred_ids")
    report.exact(case, f"{run}/pred_ids", drawn[real], expected[real])
