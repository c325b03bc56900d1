import pytest
import torch
import torch.distributed as dist

from motiongpt.codecs.vq_vae.quantizers.ema import EMAQuantizer
from motiongpt.codecs.vq_vae.quantizers.ema_reset import EMAResetQuantizer
from motiongpt.codecs.vq_vae.quantizers.reset import ResetQuantizer
from motiongpt.codecs.vq_vae.quantizers.standard import StandardQuantizer
from tests.together import start_processes

KINDS = [EMAResetQuantizer, EMAQuantizer, ResetQuantizer, StandardQuantizer]
LEARNERS = KINDS[:3]


def latents(seed: int, rows: int = 4, length: int = 10) -> torch.Tensor:
    return torch.randn(rows, 6, length, generator=torch.Generator().manual_seed(seed))


def make(kind, codebook_size: int = 16):
    torch.manual_seed(0)
    return kind(codebook_size=codebook_size, code_dim=6)


def assert_same_state(one, other, **tolerance) -> None:
    for name, value in one.state_dict().items():
        torch.testing.assert_close(other.state_dict()[name], value, msg=name, **tolerance)


@pytest.mark.parametrize("kind", KINDS)
def test_codes_are_the_nearest_and_gradient_passes_straight_through(kind):
    quantizer = make(kind).train()
    quantizer(latents(0))
    quantizer.eval()
    z = latents(1).requires_grad_()
    output = quantizer(z)
    distances = torch.cdist(z.transpose(1, 2), quantizer.codebook[None])
    assert (output.codes == distances.argmin(-1)).all()
    torch.testing.assert_close(
        output.vectors, quantizer.codebook[output.codes].transpose(1, 2), atol=1e-6, rtol=0
    )
    weights = latents(2)
    (gradient,) = torch.autograd.grad((output.vectors * weights).sum(), z)
    assert torch.equal(gradient, weights)


@pytest.mark.parametrize("kind", LEARNERS)
def test_resuming_from_a_state_dict_goes_on_as_if_undisturbed(kind):
    first = make(kind).train()
    first(latents(0))
    resumed = make(kind).train()
    resumed.load_state_dict(first.state_dict())
    for quantizer in (first, resumed):
        torch.manual_seed(5)
        quantizer(latents(1))
    assert_same_state(first, resumed, atol=0, rtol=0)
    assert resumed.initialised


@pytest.mark.parametrize("kind", KINDS)
def test_masked_vectors_change_nothing(kind):
    plain, padded = make(kind).train(), make(kind).train()
    for seed in (0, 1):
        z = latents(seed)
        longer = torch.cat((z, torch.full((4, 6, 3), 1e3)), dim=2)
        mask = torch.arange(13)[None].expand(4, 13) < 10
        torch.manual_seed(seed)
        expected = plain(z)
        torch.manual_seed(seed)
        found = padded(longer, mask)
        assert torch.equal(found.codes[:, :10], expected.codes)
        assert (found.codes[:, 10:] == 0).all()
        torch.testing.assert_close(found.loss, expected.loss)
        torch.testing.assert_close(found.perplexity, expected.perplexity)
    assert_same_state(plain, padded)


def test_a_code_chosen_once_in_the_first_step_is_not_reset():
    quantizer = EMAResetQuantizer(codebook_size=16, code_dim=6).train()
    z = latents(0, rows=2, length=8)
    quantizer(z)
    assert (quantizer.code_count == 1.0).all()
    torch.testing.assert_close(quantizer.codebook, z.transpose(1, 2).flatten(0, 1))


def test_unused_codes_are_reset_to_the_batch_or_stay():
    batches = latents(0), latents(1)
    states = {}
    for kind in LEARNERS:
        states[kind] = make(kind).train()
        states[kind](batches[0])
        before = states[kind].codebook.clone()
        states[kind](batches[1])
        unused = states[kind].code_count < 1
        assert unused.any()
        rows = batches[1].transpose(1, 2).flatten(0, 1)[:16]
        expected = before if kind is EMAQuantizer else rows
        torch.testing.assert_close(states[kind].codebook[unused], expected[unused])


def test_a_code_unused_for_ever_stays_finite():
    quantizer = make(EMAQuantizer).train()
    quantizer(latents(0))
    quantizer.code_sum[3], quantizer.code_count[3] = 0.0, 0.0
    kept = quantizer.codebook[3].clone()
    quantizer(latents(0) * 0.0 + quantizer.codebook[5][None, :, None])
    assert torch.equal(quantizer.codebook[3], kept)
    assert quantizer.codebook.isfinite().all()


def test_statistics_stay_float32_under_bfloat16_autocast():
    plain, low = make(EMAResetQuantizer).train(), make(EMAResetQuantizer).train()
    for seed in (0, 1):
        plain(latents(seed))
        with torch.autocast("cpu", dtype=torch.bfloat16):
            low(latents(seed))
    assert_same_state(plain, low, atol=0, rtol=0)


def test_the_standard_codebook_learns_by_gradient():
    quantizer = make(StandardQuantizer).train()
    output = quantizer(latents(0))
    output.loss.backward()
    assert set(quantizer.codebook.grad.abs().sum(1).nonzero().flatten().tolist()) == set(
        output.codes.flatten().tolist()
    )


# Valid vectors of each row: the first process has 5 of 22, fewer than its share.
RAGGED = torch.arange(10)[None] < torch.tensor([2, 3, 10, 7])[:, None]
TOGETHER = {"many": (10, None), "few": (2, None), "ragged": (10, RAGGED)}  # few: noisy copies


def _train_one_process(rank: int, folder: str) -> None:
    dist.init_process_group("gloo", init_method=f"file://{folder}/store", rank=rank, world_size=2)
    for kind in LEARNERS:
        for name, (length, mask) in TOGETHER.items():
            mine = slice(2 * rank, 2 * rank + 2)
            quantizer = make(kind).train()
            torch.manual_seed(100 * rank)
            for seed in (0, 1):
                part = None if mask is None else mask[mine]
                output = quantizer(latents(seed, length=length)[mine], part)
            if rank == 0:  # the other one has no validation batch: must not wait for it
                quantizer.eval()(latents(7))
            torch.save(
                (quantizer.state_dict(), output.perplexity),
                f"{folder}/{kind.__name__}-{name}-{rank}.pt",
            )
    dist.destroy_process_group()


def test_two_processes_give_the_codebook_of_one(tmp_path):
    start_processes(_train_one_process, (str(tmp_path),), 2, join=True)
    for kind in LEARNERS:
        for name, (length, mask) in TOGETHER.items():
            alone = make(kind).train()
            torch.manual_seed(0)
            for seed in (0, 1):
                output = alone(latents(seed, length=length), mask)
            for rank in (0, 1):
                state, perplexity = torch.load(
                    tmp_path / f"{kind.__name__}-{name}-{rank}.pt", weights_only=True
                )
                for key, value in alone.state_dict().items():
                    torch.testing.assert_close(state[key], value, msg=f"{kind} {name} {key}")
                torch.testing.assert_close(perplexity, output.perplexity)
