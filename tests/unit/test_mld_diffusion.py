from functools import partial

import numpy as np
import pytest
import torch

from motiongpt.errors import UserError
from motiongpt.methods.mld import original_names
from motiongpt.methods.mld.denoiser import LatentDenoiser, step_features
from motiongpt.methods.mld.examples import LatentExample
from motiongpt.methods.mld.module import LatentDiffusionModule
from motiongpt.methods.mld.sampling import guided_latents, predicted_noise
from motiongpt.methods.mld.schedule import NoiseSchedule
from tests.shared import shared
from tests.unit.mld_parts import TEXT_WIDTH, WIDTH, small_denoiser


class Oracle:
    """Knows the latent, so that it can tell the noise exactly: the same with words and without."""

    def __init__(self, clean: torch.Tensor, schedule: NoiseSchedule) -> None:
        self.clean, self.schedule = clean, schedule

    def __call__(self, latents, steps, text):
        kept = self.schedule.kept[steps][:, None, None]
        return (latents - kept.sqrt() * self.clean.repeat(2, 1, 1)) / (1 - kept).sqrt()


def test_variances_are_spaced_by_their_square_roots():
    schedule = NoiseSchedule()
    roots = schedule.variances.double().sqrt()
    assert roots[0].item() == pytest.approx(0.00085**0.5, rel=1e-6)
    assert roots[-1].item() == pytest.approx(0.012**0.5, rel=1e-6)
    torch.testing.assert_close(roots.diff(), roots.diff().mean().expand(999), rtol=1e-3, atol=0)
    assert schedule.kept[0].item() == pytest.approx(0.99915, rel=1e-6)
    assert schedule.kept[-1].item() == pytest.approx(0.00466, rel=1e-2)


def test_noise_is_added_as_the_product_of_what_is_kept_says():
    schedule = NoiseSchedule(10)
    latents, noise = torch.randn(3, 2, 4), torch.randn(3, 2, 4)
    steps = torch.tensor([0, 4, 9])
    noisy = schedule.add_noise(latents, noise, steps)
    for row, step in enumerate(steps.tolist()):
        kept = (1 - schedule.variances[: step + 1]).prod()
        expected = kept**0.5 * latents[row] + (1 - kept) ** 0.5 * noise[row]
        torch.testing.assert_close(noisy[row], expected)


def test_sampling_visits_the_released_steps():
    schedule = NoiseSchedule()
    assert schedule.sampling_steps(5) == [801, 601, 401, 201, 1]
    assert schedule.sampling_steps(1) == [1]
    assert schedule.sampling_steps(999)[0] == 999
    for count in (0, 1000, -3):
        with pytest.raises(UserError, match="choose 1 to 999"):
            schedule.sampling_steps(count)


def test_a_step_back_has_the_noise_of_the_earlier_step():
    """DDIM's closed form: with the true noise, a step leads to where that noise would have led."""
    schedule = NoiseSchedule()
    latents, noise = torch.randn(1, 1, 8), torch.randn(1, 1, 8)

    def noisy(step: int) -> torch.Tensor:
        return schedule.add_noise(latents, noise, torch.tensor([step]))

    torch.testing.assert_close(schedule.denoise(noisy(801), noise, 801, 200), noisy(601))
    torch.testing.assert_close(schedule.denoise(noisy(1), noise, 1, 200), noisy(0))
    torch.testing.assert_close(schedule.clean(noisy(401), noise, 401), latents)


@pytest.mark.parametrize("count", [5, 50])
def test_who_knows_the_noise_samples_the_latent(count):
    schedule = NoiseSchedule()
    clean = torch.randn(3, 1, 8)
    noise = torch.randn(3, 1, 8)
    texts = torch.zeros(3, 2)
    found = list(
        guided_latents(Oracle(clean, schedule), schedule, noise, texts, texts[0], count, 7.5)
    )
    assert len(found) == count
    kept = schedule.kept[0]
    assert (found[-1] - kept.sqrt() * clean).abs().max() < 3 * (1 - kept).sqrt() * 3
    assert (found[-1] - clean).abs().max() < (noise - clean).abs().max() / 4


@torch.no_grad()
def test_guidance_goes_from_no_words_through_the_words():
    denoiser, schedule = small_denoiser().eval(), NoiseSchedule()
    noise, text, null = (
        torch.randn(2, 1, WIDTH),
        torch.randn(2, TEXT_WIDTH),
        torch.zeros(TEXT_WIDTH),
    )
    steps = torch.full((2,), 1)
    without, told = predicted_noise(denoiser, noise, 1, text, null)
    torch.testing.assert_close(told, denoiser(noise, steps, text))
    torch.testing.assert_close(without, denoiser(noise, steps, null.expand(2, -1)))
    assert not torch.allclose(told, without, atol=1e-3)
    for scale in (0.0, 1.0, 7.5):
        (found,) = guided_latents(denoiser, schedule, noise, text, null, 1, scale)
        mixed = without + scale * (told - without)
        torch.testing.assert_close(found, schedule.denoise(noise, mixed, 1, 1000))


def test_features_of_a_step_are_cosines_then_sines():
    found = step_features(torch.tensor([0, 7]), 6)
    frequencies = 10_000.0 ** -(torch.arange(3) / 3)
    torch.testing.assert_close(found[0], torch.tensor([1.0, 1, 1, 0, 0, 0]))
    torch.testing.assert_close(
        found[1], torch.cat(((7 * frequencies).cos(), (7 * frequencies).sin()))
    )


def test_a_text_as_wide_as_the_latent_is_a_token_as_it_is():
    denoiser = small_denoiser(text_width=WIDTH)
    text = torch.randn(2, WIDTH)
    sequence = denoiser.sequence(torch.zeros(2, 1, WIDTH), torch.tensor([3, 4]), text)
    torch.testing.assert_close(sequence[:, 2], text + denoiser.positions[2])


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"text_width": 13}, "even number"),
        ({"latent_tokens": 7}, "7 latent vectors need 9"),
    ],
)
def test_sizes_that_cannot_be_are_refused(changes, named):
    with pytest.raises(UserError, match=named):
        small_denoiser(**changes)


@torch.no_grad()
def test_it_gives_what_the_original_gives():
    folder = shared("parity", "methods", "mld")
    weights = {n: torch.from_numpy(a) for n, a in np.load(folder / "weights.npz").items()}
    denoiser = LatentDenoiser(**original_names.original_sizes(weights, "denoiser.")).eval()
    original_names.load_original(denoiser, weights, "denoiser.")
    expected = {n: torch.from_numpy(a) for n, a in np.load(folder / "sample.npz").items()}
    *_, found = guided_latents(
        denoiser,
        NoiseSchedule(),
        expected["start_noise"],
        expected["text"][:, 0],
        expected["null_text"][:, 0],
        50,
        7.5,
    )
    torch.testing.assert_close(
        found.transpose(0, 1), expected["final_latent_50steps"], atol=1e-3, rtol=0
    )


def test_released_names_that_there_are_not_are_refused():
    with pytest.raises(UserError, match="'decoder.wing.weight'"):
        original_names.from_original_state_dict(
            {"denoiser.decoder.wing.weight": torch.zeros(1)}, "denoiser."
        )
    with pytest.raises(UserError, match=r"expected MLD's released denoiser \(denoiser.time_emb"):
        original_names.original_sizes({}, "denoiser.")


def module_of(denoiser: LatentDenoiser, null_text: torch.Tensor) -> LatentDiffusionModule:
    module = LatentDiffusionModule(
        denoiser, NoiseSchedule(), null_text, partial(torch.optim.AdamW, lr=3e-3), lambda _: None
    )
    module.log = lambda *arguments, **others: None
    return module


def test_training_hides_captions_and_validation_does_not():
    denoiser, null = small_denoiser().eval(), torch.zeros(TEXT_WIDTH)
    read = []
    denoiser.register_forward_hook(lambda module, inputs, output: read.append(inputs[2]))
    module = module_of(denoiser, null)
    texts = torch.randn(2, TEXT_WIDTH)
    noise = torch.randn(2, 1, WIDTH)
    batch = LatentExample(
        torch.randn(2, 1, WIDTH), texts, torch.tensor([True, False]), noise, torch.tensor([5, 900])
    )
    loss = module.training_step(batch, 0)
    module.on_validation_epoch_start()
    module.validation_step(batch, 0)
    assert not read[0][0].any() and torch.equal(read[0][1], texts[1])
    assert torch.equal(read[1], texts)
    noisy = NoiseSchedule().add_noise(batch.latents, noise, batch.steps)
    expected = (denoiser(noisy, batch.steps, read[0]) - noise).square().mean()
    torch.testing.assert_close(loss, expected)
    assert module.step_cost(batch).tokens == 2 * 3


def test_a_handful_of_latents_are_learned_by_their_texts():
    torch.manual_seed(0)
    denoiser = small_denoiser().train()
    latents, texts = 2 * torch.randn(4, 1, WIDTH), torch.randn(4, TEXT_WIDTH)
    module = module_of(denoiser, torch.zeros(TEXT_WIDTH))
    optimizer = torch.optim.AdamW(denoiser.parameters(), lr=5e-3)

    def batch_of(size: int) -> tuple[LatentExample, torch.Tensor]:
        rows = torch.randint(4, (size,))
        dropped, noise = torch.rand(size) < 0.1, torch.randn(size, 1, WIDTH)
        steps = torch.randint(1000, (size,))
        return LatentExample(latents[rows], texts[rows], dropped, noise, steps), rows

    checked, rows = batch_of(256)
    swapped = checked._replace(texts=texts[(rows + 1) % 4])

    @torch.no_grad()
    def loss_of(batch: LatentExample) -> float:
        module.on_validation_epoch_start()
        module.validation_step(batch, 0)
        return module._validated.over_processes()["loss"].item()

    untrained = loss_of(checked)
    for _ in range(200):
        loss = module.training_step(batch_of(64)[0], 0)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert loss_of(checked) < 0.35 * untrained
    assert loss_of(checked) < 0.9 * loss_of(swapped)
