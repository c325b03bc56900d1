"""Writing many rows of one kind at once: sampled, or the likeliest token each time."""

from collections.abc import Mapping

import torch
from torch import Tensor

from motiongpt.generation.choice import choose
from motiongpt.generation.constraints import Alphabet, Rows
from motiongpt.generation.decoding import Decoding
from motiongpt.generation.writers.base import Draft, Writer

# Tokens between two looks at which rows have ended. On a GPU a look waits for all that was
# queued, and a few tokens too many are cheaper.
LOOK_EVERY = {"cpu": 1}
LOOK_EVERY_ELSEWHERE = 8
# Rows are dropped when so few are left: moving the others costs as much as a few tokens.
DROP_BELOW = 0.75


def write_rows(
    writer: Writer,
    inputs: Mapping[str, Tensor],
    rows: Rows,
    alphabet: Alphabet,
    chance: Tensor,
    decoding: Decoding,
) -> list[list[int]]:
    """Write one batch; gives each row's token ids, marks included, an end of text not.

    Shapes: B rows, L tokens.

    Args:
        inputs: `input_ids` and `attention_mask` (B, L) of the prompts.
        rows: all of the kind that `alphabet` is of.
        chance: (B, at least the longest answer) uniform in [0, 1).
    """
    device = inputs["input_ids"].device
    longest = int(rows.most.max())
    draft = writer.begin(inputs, longest + (alphabet.opening is not None))
    if alphabet.opening is not None:
        draft.write(torch.full((len(rows.most),), alphabet.opening, device=device))
    places = _Batch(rows, chance, device).write(writer, draft, alphabet, longest, decoding)
    end = len(alphabet.token_ids) - 1
    return [alphabet.spell(row[: row.index(end)] if end in row else row) for row in places]


class _Batch:
    """The rows that are still being written, and all that was."""

    def __init__(self, rows: Rows, chance: Tensor, device: torch.device) -> None:
        self.fewest, self.most = rows.fewest.to(device), rows.most.to(device)
        self.chance = chance.to(device)
        self.here = torch.arange(len(self.most), device=device)
        self.going = torch.ones_like(self.here, dtype=torch.bool)
        self.look_every = LOOK_EVERY.get(device.type, LOOK_EVERY_ELSEWHERE)

    def write(
        self, writer: Writer, draft: Draft, alphabet: Alphabet, longest: int, decoding: Decoding
    ) -> list[list[int]]:
        """Places of the tokens of all rows among the alphabet's; the end fills what is left."""
        token_ids = alphabet.token_ids.to(self.here.device)
        end = len(token_ids) - 1
        head = writer.head(token_ids)
        written = torch.full((len(self.here), longest), end, device=self.here.device)
        for place in range(longest):
            logits = head(draft.hidden)
            logits[:, end].masked_fill_(place < self.fewest, float("-inf"))
            chosen = choose(logits, self.chance[:, place], decoding)
            chosen = torch.where(self.going, chosen, end)
            written[self.here, place] = chosen
            self.going &= (chosen != end) & (place + 1 < self.most)
            if place + 1 == longest or not self._look(place, draft):
                break
            draft.write(token_ids[written[self.here, place]])
        return written.tolist()

    def _look(self, place: int, draft: Draft) -> bool:
        """Whether any row goes on; drop those that don't once they are many."""
        if (place + 1) % self.look_every:
            return True
        count = int(self.going.sum())
        if 0 < count <= DROP_BELOW * len(self.going):
            kept = self.going.nonzero()[:, 0]
            draft.keep(kept)
            self.fewest, self.most, self.chance, self.here, self.going = (
                values[kept]
                for values in (self.fewest, self.most, self.chance, self.here, self.going)
            )
        return count > 0
