"""MDM's checkpoints (arXiv:2209.14916): the denoiser's weights, alone or beside their average."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from motiongpt.methods.mdm.folder import METHOD, TrainedMotionDenoiser
from motiongpt.methods.mdm.network import MotionDenoiser
from motiongpt.methods.mdm.original_names import (
    FRAMES,
    STEP,
    is_learnt,
    load_original,
    original_sizes,
)
from motiongpt.methods.mdm.schedule import NoiseSchedule
from motiongpt.published.importers.base import (
    ImportedParts,
    Importer,
    ImportOptions,
    format_of,
    parameters,
)
from motiongpt.weights import made_to_fit, tensors_under

MODEL, AVERAGED = "model", "model_avg"
HEADS = 4
STEPS, STEPS_OF_AVERAGED = 1000, 50
LENGTHS = {263: np.arange(40, 197, 4), 251: np.arange(24, 197, 4)}
"""Frames of MDM's training clips, in steps of 4. A checkpoint doesn't hold them."""
REMARK = (
    "taken to be trained with {steps} steps{hidden}, which no checkpoint tells: as MDM's released "
    "models {with_or_without} averaged weights; diffusion_steps and mask_frames of the args.json "
    "beside it say whether that is so"
)


class MDMImporter(Importer):
    """The weights under their names, or two such mappings: `model` and `model_avg`."""

    name = "mdm"
    holds = "MDM's input_process.*, embed_timestep.*, seqTransEncoder.* or seqTransDecoder.*"
    statistics = "those of HumanML3D, Mean.npy and Std.npy, as mean.npy and std.npy"
    normalisation = "humanml3d"
    experiment = "published_mdm published.folder={folder}"

    def recognises(self, content: Mapping[str, Any]) -> bool:
        """See `Importer`."""
        weights = content.get(AVERAGED, content)
        return isinstance(weights, Mapping) and {FRAMES, STEP} <= set(weights)

    def parts(self, content: Mapping[str, Any], options: ImportOptions) -> ImportedParts:
        """See `Importer`. Of weights and their average the average is taken, as released."""
        averaged = AVERAGED in content
        named = content[AVERAGED] if averaged else content
        state = tensors_under({str(name): value for name, value in named.items()}, "")
        sizes = original_sizes(state)
        format = format_of(sizes["n_features"], FRAMES)
        statistics = self.read_statistics(options, format)
        network = made_to_fit(
            lambda: MotionDenoiser(**sizes, heads=HEADS, hide_padding=averaged),
            lambda made: load_original(made, state),
        )
        steps = STEPS_OF_AVERAGED if averaged else STEPS
        trained = TrainedMotionDenoiser(
            network.eval(),
            NoiseSchedule(steps),
            statistics.mean,
            statistics.std,
            LENGTHS[network.n_features],
        )
        reads = "words" if network.words else "captions"
        summary = (
            f"denoiser: {parameters(network)} parameters, a transformer's {network.kind}, reads "
            f"{reads} of {network.text_width} numbers, {format.skeleton.name}, {format.fps:g} fps"
        )
        remark = REMARK.format(
            steps=steps,
            hidden=" and padding hidden" if averaged else ", padding seen",
            with_or_without="with" if averaged else "without",
        )
        return ImportedParts(
            METHOD,
            {"denoiser": trained.save},
            format,
            (summary,),
            tuple(name for name in state if not is_learnt(name)),
            {"statistics": statistics.source, "averaged": averaged},
            (remark,),
        )
