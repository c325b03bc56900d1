"""Golden vectors of MDM's sampling: guidance, steps, inpainting, and frames before the motion."""

from collections.abc import Iterable, Iterator
from itertools import repeat
from typing import Any

import torch
from torch import Tensor

from motiongpt.methods.mdm.network import MotionDenoiser
from motiongpt.methods.mdm.sampling import Given, guided, sampled
from motiongpt.methods.mdm.schedule import NoiseSchedule
from motiongpt.text_encoders.texts import Texts
from tests.golden.mdm_case import LOOPS, Case

LEGS = (0, 1, 2, 4, 5, 7, 8, 10, 11)  # the root and the legs of HumanML3D's 22 joints
JOINTS = 22


class AfterFrames:
    """A denoiser that reads clean frames (B, C, F) before the noisy ones."""

    def __init__(self, network: MotionDenoiser, before: Tensor) -> None:
        self.network, self.before = network, before

    def __call__(
        self, noisy: Tensor, steps: Tensor, texts: Texts, lengths: Tensor | None = None
    ) -> Tensor:
        before = self.before.repeat(len(noisy) // len(self.before), 1, 1)
        count = before.shape[1]
        whole = torch.cat((before, noisy), 1)
        counts = None if lengths is None else lengths + count
        return self.network(whole, steps, texts, counts)[:, count:]


def given_noise(start: Tensor, steps: Iterable[Tensor]) -> Any:
    """What `sampled` takes: the noise to begin with, then that of each step."""
    noise: Iterator[Tensor] = iter([start, *steps])
    return noise.__next__


@torch.no_grad()
def check_sampling(case: Case) -> None:
    start, noise, told = case.motion("start_noise"), case.motion("step_noise"), case.texts()
    lengths, scale = case.tensor("lengths"), case.tensor("scale")
    case.check_mask(lengths, start.shape[1])
    network, schedule = case.network(hide_padding=False), NoiseSchedule(1000)
    for index in (500, 0):
        steps = torch.full((len(start),), index)
        clean = network(start, steps, told, lengths)
        made = schedule.earlier(clean, start, index, repeat(noise[0]).__next__)
        case.motions(
            {
                f"p_sample_1000_t{index}/sample": made,
                f"p_sample_1000_t{index}/pred_xstart": clean,
            }
        )
        if index:
            case.motions(
                {f"p_mean_variance_1000_t{index}/mean": schedule.mean(clean, start, steps)}
            )
            part = f"p_mean_variance_1000_t{index}"
            spreads = {"variance": schedule.spread, "log_variance": schedule.log_spread}
            case.compare({f"{part}/{name}": all[steps] for name, all in spreads.items()})
    at = case.tensor("cfg_single/timestep")
    case.report.exact(case.name, "cfg_single/timestep", at[:1].expand_as(at), at)
    single = guided(network, start, int(at[0]), told, scale, lengths)
    case.motions({"cfg_single/guided": single})
    chain = schedule.spaced(len(noise))
    case.report.exact(
        case.name, "loop10/timestep_map", chain.numbers, case.tensor("loop10/timestep_map")
    )
    found = list(sampled(network, chain, given_noise(start, noise), told, scale, lengths))
    case.motions(
        {
            "loop10/samples": torch.stack([one.motion for one in found]),
            "loop10/pred_xstart": torch.stack([one.clean for one in found]),
            "loop10/final": found[-1].motion,
        },
        LOOPS,
    )
    _check_begun_late(case)


def _check_begun_late(case: Case) -> None:
    """From the fifth of fifty steps on, with a motion to begin with."""
    start, noise, told = case.motion("start_noise"), case.motion("step_noise"), case.texts()
    lengths, scale = case.tensor("lengths"), case.tensor("scale")
    network, schedule, first = case.network(hide_padding=True), NoiseSchedule(50), 4
    begun = case.motion("skip45_native50/init_image")
    clean = case.beside("diffusion.npz")["x0"].squeeze(-2).transpose(-1, -2)
    case.report.exact(case.name, "skip45_native50/init_image", clean, begun)
    made = schedule.add_noise(begun, start, torch.full((len(begun),), first))
    for index, one in zip(reversed(range(first + 1)), noise, strict=False):
        predicted = guided(network, made, index, told, scale, lengths)
        made = schedule.earlier(predicted, made, index, repeat(one).__next__)
    case.motions({"skip45_native50/final": made}, LOOPS)


@torch.no_grad()
def check_inpainting(case: Case) -> None:
    start, noise, told = case.motion("start_noise"), case.motion("step_noise"), case.texts()
    lengths, scale, known = (
        case.tensor("lengths"),
        case.tensor("scale"),
        case.motion("inpainted_motion"),
    )
    case.check_mask(lengths, start.shape[1])
    network, chain = case.network(hide_padding=False), NoiseSchedule(1000).spaced(len(noise))
    case.report.exact(case.name, "timestep_map", chain.numbers, case.tensor("timestep_map"))
    spans = torch.stack((lengths // 4, 3 * lengths // 4), 1)
    case.report.exact(case.name, "between_start_end", spans, case.tensor("between_start_end"))
    at = torch.arange(start.shape[1])
    kept = ~((at >= spans[:, :1]) & (at < spans[:, 1:]))[..., None].expand_as(start)
    case.report.exact(case.name, "between_mask", kept, case.motion("between_mask"))
    lower = lower_body()
    case.report.exact(case.name, "lower_body_mask263", lower, case.tensor("lower_body_mask263"))
    for name, there, how_far in (
        ("between", kept, scale),
        ("between_uncond", kept, torch.zeros_like(scale)),
        ("upper_body", lower.expand_as(start), scale),
    ):
        given, drawn = Given(known, there), given_noise(start, noise)
        found = list(sampled(network, chain, drawn, told, how_far, lengths, given))
        case.motions(
            {
                f"{name}/samples": torch.stack([one.motion for one in found]),
                f"{name}/pred_xstart": torch.stack([one.clean for one in found]),
            },
            LOOPS,
        )


def lower_body() -> Tensor:
    """(263,) bool: features of the root, the legs and the feet's contacts."""
    of_legs = torch.zeros(JOINTS, dtype=torch.bool)
    of_legs[list(LEGS)] = True
    root, contacts = torch.ones(4, dtype=torch.bool), torch.ones(4, dtype=torch.bool)
    positions = of_legs[1:].repeat_interleave(3)
    rotations = of_legs[1:].repeat_interleave(6)
    return torch.cat((root, positions, rotations, of_legs.repeat_interleave(3), contacts))


@torch.no_grad()
def check_prefix(case: Case) -> None:
    before, noisy, told = case.motion("prefix"), case.motion("x"), case.texts()
    steps, count = case.tensor("timesteps"), noisy.shape[1]
    sizes = [int(case.arrays[name]) for name in ("context_len", "pred_len")]
    case.report.exact(case.name, "lengths", [before.shape[1], count], sizes)
    whole, short = (case.tensor(f"mask_{name}")[:, 0, 0].sum(1) for name in ("full", "short"))
    for name, lengths in (
        ("mask_full", whole),
        ("mask_short", short),
        ("mask_after_forward", short),
    ):
        if name == "mask_after_forward":
            lengths = case.tensor(name)[:, 0, 0].sum(1)
        case.check_mask(lengths, count, name)
    hidden, seen = (AfterFrames(case.network(hide), before) for hide in (True, False))
    nothing = told.without(torch.ones(len(noisy), dtype=torch.bool))
    case.motions(
        {
            "out_fullmask": hidden(noisy, steps, told, whole),
            "out_shortmask": hidden(noisy, steps, told, short),
            "out_uncond": hidden(noisy, steps, nothing, whole),
            "out_nomaskframes": seen(noisy, steps, told, whole),
        }
    )
    starts, noises, scale = (
        case.motion("start_noise"),
        case.motion("step_noise"),
        case.tensor("scale"),
    )
    chain, context = NoiseSchedule(noises.shape[1]), before
    blocks: list[Tensor] = []
    for start, noise in zip(starts, noises, strict=True):
        after = AfterFrames(case.network(hide_padding=True), context)
        *_, last = sampled(after, chain, given_noise(start, noise), told, scale)
        blocks.append(last.motion)
        context = last.motion[:, -before.shape[1] :]
    total = int(case.arrays["autoregressive/required_frames"])
    joined = torch.cat(blocks, 1)
    case.motions(
        {
            "loop_native10/final": blocks[0],
            "autoregressive_include0/final": joined[:, :total],
            "autoregressive_include1/final": torch.cat((before, joined), 1)[:, :total],
        },
        LOOPS,
    )
