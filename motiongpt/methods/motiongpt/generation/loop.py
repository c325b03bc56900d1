"""Generating many rows of one kind at once: sampled, or the likeliest token each time."""

from collections.abc import Mapping

import torch
from torch import Tensor

from motiongpt.backbones.steps.base import DecoderState, StepModel
from motiongpt.methods.motiongpt.generation.constraints import OutputVocabulary, Rows
from motiongpt.methods.motiongpt.generation.decoding import Decoding
from motiongpt.sampling.choice import choose

# Tokens between two looks at which rows have ended. On a GPU a look waits for all that was
# queued, and a few tokens too many are cheaper.
LOOK_EVERY = {"cpu": 1}
LOOK_EVERY_ELSEWHERE = 8
# Rows are dropped when so few are left: moving the others costs as much as a few tokens.
DROP_BELOW = 0.75


def generate_rows(
    model: StepModel,
    inputs: Mapping[str, Tensor],
    rows: Rows,
    vocabulary: OutputVocabulary,
    uniform: Tensor,
    decoding: Decoding,
) -> list[list[int]]:
    """Generate one batch; gives each row's token ids, marks included, an end of text not.

    Shapes: B rows, L tokens.

    Args:
        inputs: `input_ids` and `attention_mask` (B, L) of the prompts.
        rows: all of the kind that `vocabulary` is of.
        uniform: (B, at least the longest output) random numbers in [0, 1).
    """
    device = inputs["input_ids"].device
    longest = int(rows.most.max())
    state = model.start(inputs, longest + (vocabulary.opening is not None))
    if vocabulary.opening is not None:
        state.append(torch.full((len(rows.most),), vocabulary.opening, device=device))
    found = _Batch(rows, uniform, device).run(model, state, vocabulary, longest, decoding)
    end = len(vocabulary.token_ids) - 1
    return [vocabulary.whole(row[: row.index(end)] if end in row else row) for row in found]


class _Batch:
    """The rows that still go on, and all tokens so far."""

    def __init__(self, rows: Rows, uniform: Tensor, device: torch.device) -> None:
        self.fewest, self.most = rows.fewest.to(device), rows.most.to(device)
        self.uniform = uniform.to(device)
        self.here = torch.arange(len(self.most), device=device)
        self.going = torch.ones_like(self.here, dtype=torch.bool)
        self.look_every = LOOK_EVERY.get(device.type, LOOK_EVERY_ELSEWHERE)

    def run(
        self,
        model: StepModel,
        state: DecoderState,
        vocabulary: OutputVocabulary,
        longest: int,
        decoding: Decoding,
    ) -> list[list[int]]:
        """Indices of all rows' tokens in the vocabulary; the end fills what is left."""
        token_ids = vocabulary.token_ids.to(self.here.device)
        end = len(token_ids) - 1
        head = model.head(token_ids)
        generated = torch.full((len(self.here), longest), end, device=self.here.device)
        for position in range(longest):
            logits = head(state.hidden)
            logits[:, end].masked_fill_(position < self.fewest, float("-inf"))
            chosen = choose(logits, self.uniform[:, position], decoding)
            chosen = torch.where(self.going, chosen, end)
            generated[self.here, position] = chosen
            self.going &= (chosen != end) & (position + 1 < self.most)
            if position + 1 == longest or not self._look(position, state):
                break
            state.append(token_ids[generated[self.here, position]])
        return generated.tolist()

    def _look(self, position: int, state: DecoderState) -> bool:
        """Whether any row goes on; drop those that don't once they are many."""
        if (position + 1) % self.look_every:
            return True
        count = int(self.going.sum())
        if 0 < count <= DROP_BELOW * len(self.going):
            kept = self.going.nonzero()[:, 0]
            state.keep(kept)
            self.fewest, self.most, self.uniform, self.here, self.going = (
                values[kept]
                for values in (self.fewest, self.most, self.uniform, self.here, self.going)
            )
        return count > 0
