"""MDM's chain of steps, its guidance, its loss and what the network sees."""

import math
from functools import partial
from itertools import repeat

import numpy as np
import pytest
import torch

from motiongpt.errors import UserError
from motiongpt.methods.mdm import original_names
from motiongpt.methods.mdm.examples import MotionBatch
from motiongpt.methods.mdm.losses import Losses, mean_squares
from motiongpt.methods.mdm.module import MotionDiffusionModule
from motiongpt.methods.mdm.network import MotionDenoiser
from motiongpt.methods.mdm.sampling import Given, NoiseOfRows, guided, sampled
from motiongpt.methods.mdm.schedule import NoiseSchedule, evenly
from motiongpt.text_encoders.texts import Texts, batch_of
from tests.unit.mdm_parts import F, small_denoiser, some_texts

TAU = torch.tensor([2.0, 2.0])


def noise_of(*shape: int):
    draw = torch.Generator().manual_seed(7)
    return lambda: torch.randn(*shape, generator=draw)


def test_what_is_kept_is_a_cosine_squared_up_to_the_last_steps():
    schedule = NoiseSchedule(1000)
    u = (torch.arange(1, 1000, dtype=torch.float64) / 1000 + 0.008) / 1.008
    expected = (u * math.pi / 2).cos() ** 2 / math.cos(0.008 / 1.008 * math.pi / 2) ** 2
    torch.testing.assert_close(schedule.kept[:-1], expected, rtol=1e-9, atol=0)
    assert schedule.variances[-1] == 0.999 and schedule.kept.dtype == torch.float64
    assert schedule.half().kept.dtype == torch.float64
    linear = NoiseSchedule(500, "linear")
    assert linear.variances[0] == pytest.approx(2e-4) and linear.variances[-1] == 0.04


def test_a_step_back_has_the_mean_and_variance_of_bayes_rule():
    schedule, index = NoiseSchedule(50), 20
    clean, noisy = torch.randn(2, 3, 4), torch.randn(2, 3, 4)
    added, before = float(schedule.variances[index]), float(schedule.kept[index - 1])
    # p(earlier | clean) x p(noisy | earlier), both normal
    precision = 1 / (1 - before) + (1 - added) / added
    mean = (before**0.5 / (1 - before) * clean + (1 - added) ** 0.5 / added * noisy) / precision
    at = torch.full((2,), index)
    torch.testing.assert_close(schedule.mean(clean, noisy, at), mean)
    noise = torch.randn(2, 3, 4)
    made = schedule.earlier(clean, noisy, index, repeat(noise).__next__)
    torch.testing.assert_close(made, mean + precision**-0.5 * noise)
    torch.testing.assert_close(schedule.earlier(clean, noisy, 0, repeat(noise).__next__), clean)


def test_fewer_steps_keep_what_the_same_steps_of_the_whole_keep():
    schedule = NoiseSchedule(1000)
    chain = schedule.spaced(10)
    assert chain.numbers.tolist() == evenly(1000, 10) == [*range(0, 1000, 111)]
    torch.testing.assert_close(chain.kept, schedule.kept[chain.numbers])
    assert schedule.spaced(1000) is schedule
    assert schedule.spaced(1).numbers.tolist() == [999]
    assert schedule.spaced(2).numbers.tolist() == [0, 999]
    for count in (0, 1001, 2.5):
        with pytest.raises(UserError, match="choose 1 to 1000, those that are trained"):
            schedule.spaced(count)


@pytest.mark.parametrize("arguments", [{"steps": 0}, {"steps": 1.5}, {"kind": "sine"}])
def test_noise_that_there_is_not_is_refused(arguments):
    with pytest.raises(UserError, match="noise: "):
        NoiseSchedule(**arguments)


def test_an_oracle_is_followed_to_the_motion_whatever_the_steps():
    clean = torch.randn(2, 5, F)
    for count in (1, 4, 30):
        chain = NoiseSchedule(30).spaced(count)
        *_, last = sampled(lambda *_: clean, chain, noise_of(2, 5, F), some_texts(2), TAU / 2)
        torch.testing.assert_close(last.motion, clean, rtol=0, atol=1e-5)


@torch.no_grad()
def test_guidance_goes_from_no_words_through_the_words():
    network, texts, noisy = small_denoiser(), some_texts(2), torch.randn(2, 6, F)
    steps, nothing = torch.full((2,), 3), texts.without(torch.ones(2, dtype=torch.bool))
    told, without = network(noisy, steps, texts), network(noisy, steps, nothing)
    for scale in (0.0, 1.0, 2.5):
        found = guided(network, noisy, 3, texts, torch.full((2,), scale), None)
        torch.testing.assert_close(found, without + scale * (told - without), atol=1e-5, rtol=1e-5)
    mixed = guided(network, noisy, 3, texts, torch.tensor([0.0, 3.0]), None)
    torch.testing.assert_close(mixed[0], without[0], atol=1e-5, rtol=1e-5)
    assert (told - without).abs().max() > 1e-3


@torch.no_grad()
@pytest.mark.parametrize("kind", [{}, {"kind": "decoder"}, {"kind": "decoder", "words": True}])
def test_padding_and_absent_words_change_nothing(kind):
    network = small_denoiser(**kind)
    noisy, steps, lengths = torch.randn(2, 9, F), torch.tensor([3, 8]), torch.tensor([5, 9])
    rows = [torch.randn(1 + 2 * network.words, 12), torch.randn(1, 12)]
    texts = batch_of(rows)
    found = network(noisy, steps, texts, lengths)
    (alone,) = network(noisy[:1, :5], steps[:1], texts.rows([0]))
    torch.testing.assert_close(found[0, :5], alone, atol=1e-5, rtol=1e-5)
    (other,) = network(noisy[1:], steps[1:], batch_of(rows[1:]))
    torch.testing.assert_close(found[1], other, atol=1e-5, rtol=1e-5)
    seen = small_denoiser(**kind, hide_padding=False)
    assert (seen(noisy, steps, texts, lengths)[0, :5] - alone).abs().max() > 1e-3


@torch.no_grad()
def test_given_frames_stand_in_every_prediction():
    known = Given(torch.randn(2, 6, F), torch.rand(2, 6, 1) < 0.5)
    chain = NoiseSchedule(10)
    found = list(
        sampled(small_denoiser(), chain, noise_of(2, 6, F), some_texts(2), TAU, given=known)
    )
    for one in found:
        assert torch.equal(one.clean[known.kept[..., 0]], known.motion[known.kept[..., 0]])
    last = found[-1].motion[known.kept[..., 0]]
    torch.testing.assert_close(last, known.motion[known.kept[..., 0]], atol=1e-6, rtol=0)


def test_rows_draw_from_their_own_streams_for_their_own_frames():
    like = torch.zeros(1)
    both = NoiseOfRows([np.random.default_rng(n) for n in (1, 2)], [3, 5], 4, like)
    alone = NoiseOfRows([np.random.default_rng(1)], [3], 4, like)
    for _ in range(3):
        found, row = both(), alone()
        assert torch.equal(found[0, :3], row[0]) and not found[0, 3:].any()


def test_a_loss_counts_the_frames_that_there_are():
    wanted, predicted = torch.randn(2, 6, 4), torch.randn(2, 6, 4)
    lengths = torch.tensor([3, 6])
    error = predicted - wanted
    expected = [error[row, :n].square().mean() for row, n in enumerate((3, 6))]
    torch.testing.assert_close(mean_squares(error, lengths), torch.stack(expected))
    losses = Losses(velocity=2.0)
    changes = [error[row, :n].diff(dim=0).square().mean() for row, n in enumerate((3, 6))]
    both = torch.stack(expected) + 2 * torch.stack(changes)
    torch.testing.assert_close(losses.of_rows(predicted, wanted, lengths), both)
    released = Losses(1.0, "released").velocity_of_rows(error, lengths)
    fewer = [error[row, :n, :-1].diff(dim=0).square().mean() for row, n in enumerate((3, 6))]
    torch.testing.assert_close(released, torch.stack(fewer))
    for wrong in ({"velocity": -1}, {"velocity_features": "some"}):
        with pytest.raises(UserError, match="stage.mdm.losses"):
            Losses(**wrong)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"kind": "loop"}, "motion_denoiser.kind=loop; choose one of: encoder, decoder"),
        ({"words": True}, "words=true needs motion_denoiser.kind=decoder"),
        ({"step_token": True}, "step_token=true needs"),
        ({"frames": 5000}, "motion_denoiser.frames=5000"),
        ({"frames": 0}, "motion_denoiser.frames=0"),
        ({"width": 15, "heads": 3}, "width=15: an even number"),
    ],
)
def test_networks_that_there_are_not_are_refused(settings, said):
    with pytest.raises(UserError, match=said):
        small_denoiser(**settings)


def test_released_names_and_sizes_are_told_apart():
    for kind in ({}, {"kind": "decoder"}):
        network = small_denoiser(**kind)
        state = released_state(network)
        sizes = original_names.original_sizes(state)
        assert sizes.items() <= network.arguments().items() and "clip_model.x" not in sizes
        again = MotionDenoiser(**sizes, heads=2, dropout=0.0)
        original_names.load_original(again, state)
        assert torch.equal(again.output.weight, network.output.weight)
    with pytest.raises(UserError, match="'embed_action.weight', which no part"):
        original_names.from_original_state_dict({"embed_action.weight": torch.zeros(1)})
    state[original_names.TABLE] += 0.1
    with pytest.raises(UserError, match="expected sines and cosines"):
        original_names.original_sizes(state)


def released_state(network: MotionDenoiser) -> dict[str, torch.Tensor]:
    """Under the released names, with the tables that nobody learns."""
    names = {ours: theirs for theirs, ours in original_names.NAMES.items()}
    names["transformer"] = f"seqTrans{network.kind.capitalize()}"
    state = {}
    for name, tensor in network.state_dict().items():
        ours = next(one for one in names if name.startswith(f"{one}."))
        state[names[ours] + name.removeprefix(ours)] = tensor.clone()
    table = network.table.rows[:, None].clone()
    return state | {original_names.TABLE: table, f"embed_timestep.{original_names.TABLE}": table}


@pytest.mark.slow
def test_it_learns_32_clips_by_heart_and_reads_the_words():
    torch.manual_seed(0)
    clips, frames, features, width = 32, 6, 10, 16
    network = MotionDenoiser(
        features, width, frames, width=64, feed_forward=128, layers=2, heads=4, dropout=0.0
    )
    motions, texts = torch.randn(clips, frames, features), torch.randn(clips, 1, width)
    hidden, schedule = torch.zeros(clips, 1, dtype=torch.bool), NoiseSchedule(50)
    module = MotionDiffusionModule(
        network, schedule, Losses(), 0.99, partial(torch.optim.AdamW, lr=2e-3), lambda _: None
    )
    module.log = lambda *arguments, **others: None
    optimizer = torch.optim.AdamW(network.parameters(), lr=2e-3)
    rate = torch.optim.lr_scheduler.OneCycleLR(optimizer, 2e-3, total_steps=1000)
    for _ in range(1000):
        rows = torch.randint(clips, (64,))
        batch = MotionBatch(
            motions[rows], torch.randn(64, frames, features), torch.full((64,), frames),
            Texts(texts[rows], hidden[:1].expand(64, 1)), torch.rand(64) < 0.1,
            torch.randint(50, (64,)), (frames,) * 64,
        )  # fmt: skip
        loss = module.training_step(batch, 0)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        rate.step()
        module.averaged.update_parameters(network)
    trained = module.trained.eval()

    @torch.no_grad()
    def made(told: torch.Tensor, by: MotionDenoiser, scale: float = 2.5) -> torch.Tensor:
        start = noise_of(clips, frames, features)
        *_, last = sampled(by, schedule, start, Texts(told, hidden), torch.full((clips,), scale))
        return last.motion

    def nearest(found: torch.Tensor) -> torch.Tensor:
        return torch.cdist(found.flatten(1), motions.flatten(1)).argmin(1)

    own = torch.arange(clips)
    found = made(texts, trained)
    assert (nearest(found) == own).sum() >= 30
    assert (nearest(made(texts.roll(1, 0), trained)) == own).sum() <= 2
    assert (nearest(made(texts, trained, scale=0.0)) == own).sum() <= 6, "without words"
    untrained = MotionDenoiser(features, width, frames, width=64, feed_forward=128, layers=2)
    error = (found - motions).square().mean()
    assert error < 0.2 * motions.square().mean(), "against the mean pose"
    assert error < 0.2 * (made(texts, untrained.eval()) - motions).square().mean()
