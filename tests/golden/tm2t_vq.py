"""Golden vectors of TM2T's own VQ-VAE. Its discriminator is rebuilt here: nothing else needs one."""

import copy
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from motiongpt.codecs.tm2t_vq.network import SLOPE, TM2TVQVAE
from tests.golden.tm2t_case import LOSSES, MANY_STEPS, Case

DISCRIMINATOR, FROM_THE_OTHER = "discriminator/", 0.5


class Discriminator(nn.Module):
    """Strided convolutions that tell motion from reconstruction, as in the released trainer."""

    def __init__(self, n_features: int, width: int, levels: int) -> None:
        super().__init__()
        widths = [n_features, *(width // 2**level for level in range(levels))]
        parts: list[nn.Module] = []
        for before, after in zip(widths, widths[1:], strict=False):
            convolution = nn.Conv1d(before, after, 4, 2, padding=1)
            parts += [convolution, nn.BatchNorm1d(after), nn.LeakyReLU(SLOPE)]
        self.main, self.out_net = nn.Sequential(*parts), nn.Conv1d(widths[-1], 1, 3, padding=1)

    def forward(self, motion: Tensor) -> tuple[Tensor, Tensor]:
        """Features (B, T', D) and logits (B, T', 1) of motion (B, T, F)."""
        features = self.main(motion.transpose(1, 2))
        return features.transpose(1, 2), self.out_net(features).transpose(1, 2)


def codec_name(released: str, codec: TM2TVQVAE) -> str:
    """Our name of a weight: levels and units in the order of their layers there."""
    part, _, rest = released.partition("/")
    if part == "quantizer":
        return "quantizer.codebook"
    _, number, *unit, kind = rest.split(".")
    side = "encoder" if part == "vq_encoder" else "decoder"
    at = _layers(side, codec)[int(number)]
    within = {"0": ".first", "2": ".second"}[unit[1]] if unit else ""
    return f"{side}.{at}{within}.{kind}"


def _layers(side: str, codec: TM2TVQVAE) -> dict[int, str]:
    """Number of a layer there -> our part: convolution, rectifier and unit; or units, then levels."""
    if side == "encoder":
        count = len(codec.encoder.levels)
        levels = {3 * one: f"levels.{one}" for one in range(count)}
        return levels | {3 * one + 2: f"units.{one}" for one in range(count)}
    first = int(isinstance(codec.decoder.input, nn.Conv1d))
    depth, count = len(codec.decoder.units), len(codec.decoder.levels)
    found = {0: "input"} if first else {}
    found |= {first + one: f"units.{one}" for one in range(depth)}
    # each level: doubling, convolution, rectifier
    found |= {first + depth + 3 * one + 1: f"levels.{one}" for one in range(count)}
    return found | {first + depth + 3 * count: "output"}


def _codec(case: Case) -> TM2TVQVAE:
    decoder = case.arrays["cfg/decoder_channels"].tolist()
    encoder = case.arrays["cfg/encoder_channels"].tolist()
    features = case.config("feature_dim")
    case.report.exact(case.name, "last width of the decoder", decoder[-1], features)
    made = TM2TVQVAE(
        features,
        2 ** case.config("n_down"),
        case.config("codes"),
        encoder[-1],
        depth=case.config("decoder_resblocks"),
        beta=case.config("beta"),
        encoder_widths=encoder,
        decoder_widths=decoder[:-1],
    )
    weights = {n: t for n, t in case.weights().items() if not n.startswith(DISCRIMINATOR)}
    made.load_state_dict({codec_name(name, made): tensor for name, tensor in weights.items()})
    return made.eval()


def check_tokenizer(case: Case) -> None:
    codec, motion = _codec(case), case.tensor("in/motion")
    output = codec(motion)
    latent = codec.encoder(motion[..., :-4].transpose(1, 2), None).transpose(1, 2)
    loss = (output.features - motion).abs().mean()
    case.compare(
        {
            "out/latent": latent,
            "out/quantized": codec.quantizer.look_up(output.codes),
            "out/perplexity": output.perplexity,
            "out/recon": output.features,
        }
    )
    case.exact({"out/codes": output.codes, "out/codes_flat": output.codes.flatten()})
    case.exact({"out/codes": codec.encode(motion)})
    total = loss + output.commitment
    losses = {
        "out/embedding_loss": output.commitment,
        "out/loss_recon": loss,
        "out/loss_total_noadv": total,
    }
    case.compare(losses, atol=0, rtol=LOSSES)
    case.gradients("grad/", total, codec, lambda name: codec_name(name, codec))
    codes = case.tensor("in/decode_codes")
    case.compare(
        {
            "out/decode_latent": codec.quantizer.look_up(codes),
            "out/decode_motion": codec.decode(codes),
        }
    )
    joints = (case.config("feature_dim") + 1) // 12
    case.exact({"cfg/joints": joints})
    _check_discriminator(case, output.features.detach(), float(loss + output.commitment))
    _check_updates(case, codec)


def _discriminator(case: Case) -> Discriminator:
    sizes = (case.config(name) for name in ("feature_dim", "disc_hidden", "disc_layers"))
    made = Discriminator(*sizes)
    made.load_state_dict(case.weights(f"w/{DISCRIMINATOR}"))
    return made


def _judged(network: Discriminator, real: Tensor, made: Tensor) -> Tensor:
    """The discriminator's loss, before its weight."""
    real_logits, made_logits = network(real)[1], network(made)[1]
    return FROM_THE_OTHER * (F.relu(1 - real_logits).mean() + F.relu(1 + made_logits).mean())


@torch.no_grad()
def _check_discriminator(case: Case, made: Tensor, loss: float) -> None:
    network, real = _discriminator(case), case.tensor("in/motion")
    weight = case.config("adv_weight")
    case.compare({"out/disc_eval_logits_real": copy.deepcopy(network).eval()(real)[1]})
    features, logits = network.train()(real)
    case.compare({"out/disc_train_features_real": features, "out/disc_train_logits_real": logits})
    _, made_logits = network(made)
    case.compare({"out/disc_train_logits_fake": made_logits})
    # The file calls them statistics after both passes; they are those of its weights, before any.
    for name, value in _discriminator(case).state_dict().items():
        if f"out/disc_after_two_passes/{name}" in case.arrays:
            case.compare({f"out/disc_after_two_passes/{name}": value})
    first = _discriminator(case).train()
    against = -first(made)[1].mean()
    case.compare(
        {
            "out/loss_disc": weight * _judged(first, real, made),
            "out/loss_adv": against,
            "out/loss_total_adv": loss + weight * against,
        },
        atol=0,
        rtol=LOSSES,
    )


def _check_updates(case: Case, codec: TM2TVQVAE) -> None:
    """Steps of Adam; where the adversarial part is on, the discriminator steps first."""
    network, real = _discriminator(case).train(), case.tensor("in/motion")
    weight, rate = case.config("adv_weight"), case.number("in/train_lr")
    optimizers = [torch.optim.Adam(one.parameters(), lr=rate) for one in (codec.train(), network)]
    found: dict[str, list[float]] = {}
    for on in case.arrays["in/train_adv_on"].tolist():
        output = codec(real)
        rebuilt = (output.features - real).abs().mean()
        total, against, judged = rebuilt + output.commitment, None, None
        if on:
            judged = weight * _judged(network, real, output.features.detach())
            _step(optimizers[1], judged)
            against = -network(output.features)[1].mean()
            total = total + weight * against
        _step(optimizers[0], total)
        for name, value in {
            "loss_G": total,
            "loss_G_rec_mot": rebuilt,
            "loss_G_emb": output.commitment,
            "perplexity": output.perplexity,
            "loss_G_adv": against,
            "loss_D": judged,
        }.items():
            found.setdefault(name, []).append(np.nan if value is None else float(value))
    case.compare({f"out/train/{n}": np.array(v) for n, v in found.items()}, atol=MANY_STEPS)


def _step(optimizer: torch.optim.Optimizer, loss: Any) -> None:
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
