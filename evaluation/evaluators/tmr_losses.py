"""TMR's losses: InfoNCE that leaves out look-alike captions, KL, reconstruction, latent distance.

Source: Petrovich et al. (ICCV 2023), sections 3.2 and 3.3, and the released code's formulae. Hard
negatives are ours.
Shape letters: B pairs, T frames, F features, D width of a latent.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from evaluation.evaluators.tmr_networks import Latent, TMRNetworks


@dataclass(frozen=True)
class LossSettings:
    """Weights of the terms, and how captions are told apart.

    Attributes:
        reconstruction, latent, kl, contrastive: weights, TMR's.
        order: weight of `order_loss`, where there is an order head; ours.
        temperature: of InfoNCE.
        threshold: two captions whose similarity, (cosine + 1) / 2 as TMR writes it, is above it
            are not told apart; 0 leaves no caption out.
    """

    reconstruction: float = 1.0
    latent: float = 1e-5
    kl: float = 1e-5
    contrastive: float = 0.1
    order: float = 1.0
    temperature: float = 0.1
    threshold: float = 0.8


@dataclass(frozen=True)
class Views:
    """One step's latents of B pairs, and what they were made of.

    Attributes:
        text, motion: latents.
        z_text, z_motion: (B, D) drawn from them.
        features: (B, T, F) normalised, zero beyond `lengths` (B,) frames.
        sentences: (B, E) features of whole captions, of length 1; None tells all apart.
        matched: (B, D') of texts and of motions, of which the cosines are told apart; None for
            what is drawn.
        perturbed: (B, D') of the same clips perturbed; None where there are none.
        wrong: (B,) True where the caption does not tell of the perturbed clip.
        order: logits of the order head and what counts, as the arguments of `order_loss`.
    """

    text: Latent
    motion: Latent
    z_text: Tensor
    z_motion: Tensor
    features: Tensor
    lengths: Tensor
    sentences: Tensor | None = None
    matched: tuple[Tensor, Tensor] | None = None
    perturbed: Tensor | None = None
    wrong: Tensor | None = None
    order: tuple[Tensor, Tensor, Tensor] | None = None


def cosines(rows: Tensor, columns: Tensor) -> Tensor:
    """(B, B') cosine similarities of (B, D) and (B', D)."""
    return F.normalize(rows, dim=-1) @ F.normalize(columns, dim=-1).mT


def look_alikes(sentences: Tensor, threshold: float) -> Tensor:
    """Which captions are too similar to be told apart, (B, B) bool; none is its own.

    Sentence features are taken as they are: TMR does not bring them to length 1 here.
    """
    products = sentences @ sentences.mT
    own = torch.eye(len(sentences), dtype=torch.bool, device=sentences.device)
    # TMR masks what exceeds the bound after it has set the diagonal to zero, so that below a
    # threshold of 0.5 it masks the pairs themselves and its loss is not a number.
    return products.masked_fill(own, 0.0) > 2 * threshold - 1


def contrastive_loss(
    texts: Tensor,
    motions: Tensor,
    temperature: float,
    alike: Tensor | None = None,
    perturbed: Tensor | None = None,
    wrong: Tensor | None = None,
) -> Tensor:
    """InfoNCE both ways on cosines: the other clips and captions of the batch are negatives.

    Args:
        texts, motions: (B, D); rows belong together.
        alike: (B, B) True where caption and motion are of different pairs that may not be told
            apart.
        perturbed: (B, D) of the same clips perturbed; each is one more negative of its own
            caption, and of no other's: it may well show what another one says.
        wrong: (B,) where it is one.
    """
    logits = cosines(texts, motions) / temperature
    if alike is not None:
        logits = logits.masked_fill(alike, -torch.inf)
    targets = torch.arange(len(texts), device=texts.device)
    of_motions = F.cross_entropy(logits.mT, targets)
    if perturbed is not None and wrong is not None:
        own = (F.normalize(texts, dim=-1) * F.normalize(perturbed, dim=-1)).sum(-1) / temperature
        logits = torch.cat((logits, own.masked_fill(~wrong, -torch.inf)[:, None]), dim=1)
    return (F.cross_entropy(logits, targets) + of_motions) / 2


def order_loss(in_order: Tensor, shuffled: Tensor, counts: Tensor) -> Tensor:
    """Cross entropy of the order head on clips as they are and on the same clips shuffled.

    Args:
        in_order, shuffled: (B,) logits.
        counts: (B,) True where a shuffled clip differs from the clip.
    """
    right = F.softplus(in_order)
    wrong = F.softplus(-shuffled)[counts]
    return torch.cat((right, wrong)).mean()


def divergence(one: Latent, other: Latent | None = None) -> Tensor:
    """KL(one, other) of diagonal Gaussians, the mean over all their numbers.

    Args:
        other: None for the standard normal distribution.
    """
    assert one.log_variance is not None
    mean, log_variance = torch.zeros_like(one.mean), torch.zeros_like(one.mean)
    if other is not None:
        assert other.log_variance is not None
        mean, log_variance = other.mean, other.log_variance
    ratio = one.log_variance - log_variance
    shifted = (one.mean - mean).square() / log_variance.exp()
    return 0.5 * (ratio.exp() + shifted - 1 - ratio).mean()


def all_divergences(text: Latent, motion: Latent) -> Tensor:
    """The four KL terms: text and motion from each other, both from the standard normal."""
    pairs = (divergence(text, motion), divergence(motion, text))
    return sum(pairs, divergence(motion) + divergence(text))


def loss_terms(networks: TMRNetworks, views: Views, settings: LossSettings) -> dict[str, Tensor]:
    """Every term that has a weight and can be had, unweighted scalars; see `LossSettings`.

    Reconstruction is a mean over everything, the padding too, where both sides are zero, as in
    TMR.
    """
    found: dict[str, Tensor] = {}
    if networks.motion_decoder is not None and settings.reconstruction:
        of_text, of_motion = (
            F.smooth_l1_loss(networks.decode(z, views.lengths), views.features)
            for z in (views.z_text, views.z_motion)
        )
        found["reconstruction"] = of_text + of_motion
    if views.text.log_variance is not None and settings.kl:
        found["kl"] = all_divergences(views.text, views.motion)
    if settings.latent:
        found["latent"] = F.smooth_l1_loss(views.z_text, views.z_motion)
    if settings.contrastive:
        alike = None
        if views.sentences is not None and settings.threshold:
            alike = look_alikes(views.sentences, settings.threshold)
        texts, motions = views.matched or (views.z_text, views.z_motion)
        found["contrastive"] = contrastive_loss(
            texts, motions, settings.temperature, alike, views.perturbed, views.wrong
        )
    if settings.order and views.order is not None:
        found["order"] = order_loss(*views.order)
    return found


def total_loss(terms: Mapping[str, Tensor], settings: LossSettings) -> Tensor:
    """The weighted sum of the terms."""
    return torch.stack([getattr(settings, name) * term for name, term in terms.items()]).sum()
