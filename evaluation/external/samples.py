"""Several motions of one text, out of draws that were made of it: MultiModality judges these."""

from dataclasses import replace
from pathlib import Path

import numpy as np

from evaluation.requests.predictions import About, Outputs, PredictionSet


def write_samples(
    saved: PredictionSet, asked: About, destination: Path, n_features: int
) -> PredictionSet | None:
    """Gather all draws of some clips as samples of one text; None where there are none.

    Args:
        saved: draws as replications; those of a clip have one caption, or it is left out.
        asked: of which clips several motions are asked for, see `RequestBuilder.sets`.
        n_features: F.
    """
    draws = [saved.read(number, n_features) for number in range(len(saved.about.seeds))]
    captions = np.array([one.captions for one in draws])
    position = {clip: index for index, clip in enumerate(saved.about.clips)}
    kept = [
        number
        for number, clip in enumerate(asked.clips)
        if clip in position and len({*captions[:, position[clip]]}) == 1
    ]
    if len(draws) < 2 or not kept:
        return None
    about = replace(
        asked,
        clips=[asked.clips[i] for i in kept],
        frames=[asked.frames[i] for i in kept],
        given=[asked.given[i] for i in kept],
        seeds=asked.seeds[:1],
        samples=len(draws),
    )
    places = [position[clip] for clip in about.clips]
    empty = [""] * (len(places) * len(draws))
    outputs = Outputs(
        captions=[int(captions[0, place]) for place in places for _ in draws],
        prompts=empty,
        texts=empty,
        motions=[one.motions[place] for place in places for one in draws],
    )
    found = PredictionSet.create(destination, about)
    found.write(0, outputs)
    return found
