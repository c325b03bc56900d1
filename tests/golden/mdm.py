"""Golden vectors of MDM: subfolder `mdm`. A case is recognised by the arrays it holds.

The weights lie beside them, in weights.npz, and what weights don't tell (the heads) in facts.json.
Tolerances are those that came with the vectors: 1e-5 for single passes and losses, 5e-5 for
sampling loops, 1e-12 for schedules; gradients, for which none came, may be off by 1e-4 of their
size besides.
"""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from motiongpt.methods.mdm.losses import Losses
from motiongpt.methods.mdm.network import Sinusoids
from motiongpt.methods.mdm.original_names import from_original_state_dict, is_learnt, our_name
from motiongpt.methods.mdm.schedule import Chain, NoiseSchedule, evenly
from motiongpt.text_encoders.texts import Texts
from tests.golden.mdm_case import ATOL, Case, network_of, silent
from tests.golden.mdm_facts import check_facts
from tests.golden.mdm_sampling import check_inpainting, check_prefix, check_sampling

SCHEDULES, LAST_BIT = 1e-12, 2.0**-23
GRADIENTS = {"atol": ATOL, "rtol": 1e-4}
OF_CHAINS: dict[str, Callable[[Chain], Any]] = {
    "betas": lambda chain: chain.variances,
    "alphas_cumprod": lambda chain: chain.kept,
    "alphas_cumprod_prev": lambda chain: chain.kept_before,
    "sqrt_alphas_cumprod": lambda chain: chain.kept.sqrt(),
    "sqrt_one_minus_alphas_cumprod": lambda chain: (1 - chain.kept).sqrt(),
    "posterior_variance": lambda chain: chain.spread,
    "posterior_log_variance_clipped": lambda chain: chain.log_spread,
    "posterior_mean_coef1": lambda chain: chain.clean_weight,
    "posterior_mean_coef2": lambda chain: chain.noisy_weight,
    "timestep_map": lambda chain: chain.numbers,
}


def check(path: Path, arrays: Any, report: Any, data: Path) -> None:
    """Check one file of the subfolder."""
    name = f"mdm/{path.name}"
    if path.suffix == ".json":
        check_facts(name, arrays, report)
        return
    known: dict[str, Callable[[Case], None]] = {
        "cosine10_native/betas": _check_schedules,
        "dec_clip/out_cond": _check_decoders,
        "input_process.poseEmbedding.weight": _check_weights,
        "out_train_condmask": _check_forward,
        "pe512_rows": _check_embeddings,
        "q_sample_1000": _check_diffusion,
        "loop10/final": check_sampling,
        "between_mask": check_inpainting,
        "loop_native10/final": check_prefix,
    }
    for array, run in known.items():
        if array in arrays:
            run(Case(name, path.parent, arrays, report))
            return
    report.unchecked(name, ", ".join(sorted(arrays)[:5]), "no known case holds these arrays")


def _check_weights(case: Case) -> None:
    """Every weight of our network is the released one, under the name that says so."""
    network = case.network(hide_padding=True)
    state = {name: case.tensor(name) for name in case.arrays}
    renamed, ours = from_original_state_dict(state), network.state_dict()
    case.report.exact(case.name, "names", sorted(ours), sorted(renamed))
    for name in sorted(ours.keys() & renamed.keys()):
        case.report.exact(case.name, name, ours[name], renamed[name])
    for name in state:
        if not is_learnt(name):
            _check_table(case, name, network.table.rows[:, None], torch.arange(len(state[name])))


@torch.no_grad()
def _check_forward(case: Case) -> None:
    steps, told = case.tensor("timesteps"), case.texts()
    lengths, noisy = case.tensor("lengths"), case.motion("x")
    case.check_mask(lengths, noisy.shape[1])
    seen, hidden = case.network(False), case.network(True)
    one = Texts(told.features[:1].expand_as(told.features), told.hidden)
    dropped = told.without(case.tensor("cond_drop_mask").bool())
    case.motions(
        {
            "out_cond_nomask": seen(noisy, steps, told, lengths),
            "out_uncond_nomask": seen(noisy, steps, silent(told), lengths),
            "out_cond_maskframes": hidden(noisy, steps, told, lengths),
            "out_uncond_maskframes": hidden(noisy, steps, silent(told), lengths),
            # A mask of one frame, as the released script gives it, hides nothing.
            "out_cond_maskframes_len1mask": hidden(noisy, steps, told),
            "out_cond_single_text": seen(noisy, steps, one, lengths),
            "out_train_condmask": seen(noisy, steps, dropped, lengths),
        }
    )


@torch.no_grad()
def _check_embeddings(case: Case) -> None:
    network = case.network(hide_padding=False)
    steps, told = case.tensor("timesteps"), case.texts()
    noisy = case.beside("forward.npz")["x"].squeeze(-2).transpose(-1, -2)
    rows = network.table.rows[steps]
    step = network.step_embedding(rows)[:, None]
    text = network.text_embedding(told.features)
    sequence = network.sequence(noisy, step + text)
    of_frames = {
        "time_emb": step,
        "text_emb": text,
        "null_text_emb": network.text_embedding(silent(told).features),
        "cond_token": step + text,
        "frame_tokens": network.frame_embedding(noisy),
        "sequence_with_pe": sequence,
    }
    states = sequence
    for number, layer in enumerate(network.transformer.layers):
        states = layer(states)
        of_frames[f"hidden_after_layer{number}"] = states
    case.compare({name: one.transpose(0, 1) for name, one in of_frames.items()})
    numbers, width = case.arrays["pe512_rows_idx"], case.arrays["pe512_rows"].shape[1]
    wide = Sinusoids(int(numbers.max()) + 1, width).rows[numbers]
    _check_table(case, "pe_rows_at_timesteps", rows, steps)
    _check_table(case, "pe512_rows", wide, case.tensor("pe512_rows_idx"))


def _check_table(case: Case, name: str, rows: Tensor, positions: Tensor) -> None:
    """Vector units differ in the last bit of exp, which grows with the position in the angle."""
    allowed = ATOL + positions.numpy().reshape(-1, *[1] * (rows.dim() - 1)) * LAST_BIT
    case.report.compare(case.name, name, rows, case.arrays[name], atol=allowed)


def _check_schedules(case: Case) -> None:
    for name in case.arrays:
        kind, _, what = name.partition("/")
        if what:
            value = OF_CHAINS[what](_chain(kind, case))
            case.report.compare(case.name, name, value, case.arrays[name], atol=SCHEDULES)


def _chain(kind: str, case: Case) -> Chain:
    """The chain of a name, such as cosine1000_respaced50."""
    if kind == "cosine_sections":
        total, *counts = case.arrays["sections_spec"].tolist()
        return NoiseSchedule(total).chosen(_sections(total, counts))
    named = re.fullmatch(r"(cosine|linear)(\d+)(?:_(native|respaced|ddim)(\d*))?", kind)
    assert named is not None, kind
    whole = NoiseSchedule(int(named[2]), named[1])
    if named[3] == "respaced":
        return whole.spaced(int(named[4]))
    if named[3] == "ddim":  # every so-manieth step from the first on
        return whole.chosen(range(0, len(whole), len(whole) // int(named[4])))
    return whole


def _sections(total: int, counts: list[int]) -> list[int]:
    """Steps of equal sections, evenly in each; the first ones are longer by what is left over."""
    found, first = [], 0
    for number, count in enumerate(counts):
        size = total // len(counts) + (number < total % len(counts))
        found += [first + one for one in (evenly(size, count) if count > 1 else [0])]
        first += size
    return found


def _check_diffusion(case: Case) -> None:
    clean, noise, told = case.motion("x0"), case.motion("noise"), case.texts()
    lengths = case.tensor("lengths")
    case.check_mask(lengths, clean.shape[1])
    dropped = told.without(case.tensor("cond_drop_mask").bool())
    losses, both = Losses(), Losses(velocity=1.0, velocity_features="released")
    for steps, hide, name in ((1000, False, "1000_nomask"), (50, True, "50_maskframes")):
        schedule, at = NoiseSchedule(steps), case.tensor(f"t_{steps}")
        noisy = schedule.add_noise(clean, noise, at)
        case.motions({f"q_sample_{steps}": noisy})
        network = case.network(hide)
        predicted = network(noisy, at, told, lengths)
        rows = losses.of_rows(predicted, clean, lengths)
        case.compare(
            {
                f"loss_per_sample_{name}": rows,
                f"rot_mse_{name}": rows,
                f"loss_mean_{name}": rows.mean(),
            }
        )
        _check_gradients(case, name, network, rows.mean())
        if steps == 1000:
            case.motions({"posterior_mean_1000": schedule.mean(clean, noisy, at)})
            without = network(noisy, at, dropped, lengths)
            case.compare(
                {
                    "posterior_var_1000": schedule.spread[at],
                    "posterior_logvar_1000": schedule.log_spread[at],
                    "vel_mse_lambda1": both.velocity_of_rows(predicted - clean, lengths),
                    "loss_lambda_vel1": both.of_rows(predicted, clean, lengths),
                    "loss_per_sample_train_condmask": losses.of_rows(without, clean, lengths),
                }
            )


def _check_gradients(case: Case, name: str, network: Any, loss: Tensor) -> None:
    prefix = f"grad_{name}/"
    wanted = [one for one in case.arrays if one.startswith(prefix)]
    parameters = dict(network.named_parameters())
    ours = [parameters[our_name(one.removeprefix(prefix))] for one in wanted]
    found = torch.autograd.grad(loss, ours, retain_graph=True)
    for one, gradient in zip(wanted, found, strict=True):
        case.report.compare(case.name, one, gradient, case.arrays[one], **GRADIENTS)


@torch.no_grad()
def _check_decoders(case: Case) -> None:
    steps, noisy, told = case.tensor("timesteps"), case.motion("x"), case.texts()
    lengths = case.tensor("mask")[:, 0, 0].sum(1)
    case.check_mask(lengths, noisy.shape[1])
    words = case.texts("bert_text_embed")._replace(hidden=case.tensor("bert_text_pad_mask"))
    for kind, weights, token, read in (
        ("dec_clip", "dec_clip", False, told),
        ("dec_clip_emb", "dec_clip", True, told),
        ("dec_bert", "dec_bert", False, words),
    ):
        prefix = f"{weights}/w/"
        state = {
            n.removeprefix(prefix): case.tensor(n) for n in case.arrays if n.startswith(prefix)
        }
        network = network_of(state, case.heads, hide_padding=True, step_token=token)
        case.report.exact(case.name, f"{kind} reads words", network.words, read is words)
        case.motions(
            {
                f"{kind}/out_cond": network(noisy, steps, read, lengths),
                f"{kind}/out_uncond": network(noisy, steps, silent(read), lengths),
            }
        )
