"""MLD's checkpoints (arXiv:2212.04048): VAE and denoiser in one state_dict, or the VAE alone."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from motiongpt.codecs.mld_vae import original_names as vae_names
from motiongpt.codecs.mld_vae.network import MLDVAE
from motiongpt.codecs.trained_latents import TrainedLatents
from motiongpt.methods.mld import original_names as denoiser_names
from motiongpt.methods.mld.denoiser import LatentDenoiser
from motiongpt.methods.mld.folder import METHOD, TrainedDenoiser
from motiongpt.methods.mld.schedule import NoiseSchedule
from motiongpt.published.folder import CODEC, SavePart
from motiongpt.published.importers.base import (
    ImportedParts,
    Importer,
    ImportOptions,
    format_of,
    parameters,
    remarks_of,
)
from motiongpt.weights import made_to_fit, tensors_under

VAE, DENOISER = "vae.", "denoiser."
MARK = VAE + "global_motion_token"  # no other project's VAE has it
LENGTHS = np.arange(40, 197, 4)
"""Frames of MLD's training clips: 40 to 196 in steps of 4. A checkpoint doesn't hold them."""


class MLDImporter(Importer):
    """`state_dict` with vae.* and denoiser.*; CLIP, which it reads with, is not in the file."""

    name = "mld"
    holds = "state_dict with MLD's vae.* (and denoiser.*)"
    statistics = "those of HumanML3D, Mean.npy and Std.npy, as mean.npy and std.npy"
    experiment = "published_mld published.folder={folder}"

    def recognises(self, content: Mapping[str, Any]) -> bool:
        """See `Importer`."""
        state = content.get("state_dict")
        return isinstance(state, Mapping) and MARK in state

    def parts(self, content: Mapping[str, Any], options: ImportOptions) -> ImportedParts:
        """See `Importer`. A file of the first stage holds a denoiser too, untrained."""
        state = tensors_under({str(n): value for n, value in content["state_dict"].items()}, "")
        sizes = vae_names.original_sizes(state, VAE)
        format = format_of(sizes["n_features"], f"{VAE}skel_embedding.weight")
        statistics = self.read_statistics(options, format)
        vae = made_to_fit(
            lambda: MLDVAE(**sizes), lambda made: vae_names.load_original(made, state, VAE)
        )
        codec = TrainedLatents(vae, statistics.mean, statistics.std)
        parts: dict[str, SavePart] = {CODEC: codec.save}
        summary = [
            f"VAE: {sizes['latent_tokens']} latent vectors of {sizes['width']}, "
            f"{format.skeleton.name}, {format.fps:g} fps, {parameters(vae)} parameters"
        ]
        if any(name.startswith(DENOISER) for name in state):
            found = denoiser_names.original_sizes(state, DENOISER, sizes["latent_tokens"])
            denoiser = made_to_fit(
                lambda: LatentDenoiser(**found),
                lambda made: denoiser_names.load_original(made, state, DENOISER),
            )
            parts["denoiser"] = TrainedDenoiser(denoiser, NoiseSchedule(), LENGTHS).save
            summary.append(
                f"denoiser: {parameters(denoiser)} parameters, reads text features of "
                f"{denoiser.text_width} numbers"
            )
        return ImportedParts(
            METHOD,
            parts,
            format,
            tuple(summary),
            tuple(name for name in state if not name.startswith((VAE, DENOISER))),
            {"statistics": statistics.source},
            remarks_of(statistics),
        )
