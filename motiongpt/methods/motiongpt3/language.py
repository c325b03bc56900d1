"""The language model of MotionGPT3 (arXiv:2506.24086, section 3.2): one attention, two branches.

Every block has weights of its own for text and for motion (norms, projections, feed-forward), and
one causal attention over both: GPT-2's block (Radford et al. 2019), once for each branch.
Shapes: B batch, L tokens of text, K hidden states of motion, S = L + K, H width, V vocabulary.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from motiongpt.codecs.mld_vae.skip_transformer import check_heads
from motiongpt.errors import UserError

INITIAL_STD = 0.02


TEXT, MOTION = 0, 1
TEXT_NAMES = ("token_embedding.", "position_embedding.", f"norms.{TEXT}.")
"""How weights of the text branch begin that belong to no block."""


class Branch(nn.Module):
    """One block's weights for one kind of token.

    Args:
        width: H.
        dropout: of both parts' outputs.
    """

    def __init__(self, width: int, dropout: float) -> None:
        super().__init__()
        self.attention_norm = nn.LayerNorm(width)
        self.queries_keys_values = nn.Linear(width, 3 * width)
        self.attention_output = nn.Linear(width, width)
        self.feed_forward_norm = nn.LayerNorm(width)
        self.feed_forward = nn.Sequential(
            nn.Linear(width, 4 * width), nn.GELU("tanh"), nn.Linear(4 * width, width)
        )
        self.dropout = nn.Dropout(dropout)

    def after(self, x: Tensor, attended: Tensor) -> Tensor:
        """x (B, n, H) with what attention gave (B, n, H) and the feed-forward added."""
        x = x + self.dropout(self.attention_output(attended))
        found: Tensor = x + self.dropout(self.feed_forward(self.feed_forward_norm(x)))
        return found


class TwoBranchBlock(nn.Module):
    """Text and motion, each by its branch, looking at each other.

    Args:
        width, dropout: see `Branch`.
        heads: of attention; they share the width.
    """

    def __init__(self, width: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.heads = heads
        self.text, self.motion = Branch(width, dropout), Branch(width, dropout)

    def branch(self, number: int) -> Branch:
        """That of `TEXT` or `MOTION`."""
        return self.text if number == TEXT else self.motion

    def forward(self, parts: list[tuple[int, Tensor]], visible: Tensor) -> list[tuple[int, Tensor]]:
        """Parts of the sequence, in order, each with its branch's number and (B, n, H).

        Args:
            visible: (B, 1, S, S) bool, who may look at whom.
        """
        sizes = [x.shape[1] for _, x in parts]
        made = [
            self.branch(number).queries_keys_values(self.branch(number).attention_norm(x))
            for number, x in parts
        ]
        query, key, value = (
            one.unflatten(-1, (self.heads, -1)).transpose(1, 2)
            for one in torch.cat(made, 1).chunk(3, -1)
        )
        attended = F.scaled_dot_product_attention(query, key, value, attn_mask=visible)
        split = attended.transpose(1, 2).flatten(2).split(sizes, 1)
        return [
            (number, self.branch(number).after(x, one))
            for (number, x), one in zip(parts, split, strict=True)
        ]


class Hidden(NamedTuple):
    """Last states: of text (B, L, H) and of motion (B, K, H)."""

    text: Tensor
    motion: Tensor


class TwoBranchLanguageModel(nn.Module):
    """Text before motion, or motion before text; what comes later looks at what came before.

    Args:
        vocabulary: V of the text tokenizer.
        latent_numbers: N D of a motion's latent, which a linear layer makes K inputs of.
        width: H.
        layers, heads, dropout: of the blocks.
        positions: rows of the learned table: text and motion together.
        hidden_tokens: K, states that stand for a motion; 4 as released.

    Raises:
        UserError: a width that the heads can't share, or no room for motion.
    """

    def __init__(
        self,
        vocabulary: int,
        latent_numbers: int,
        width: int = 768,
        layers: int = 12,
        heads: int = 12,
        dropout: float = 0.1,
        positions: int = 1024,
        hidden_tokens: int = 4,
    ) -> None:
        super().__init__()
        check_heads(width, heads, "gelu")
        if not 0 < hidden_tokens < positions:
            raise UserError(
                f"language.positions={positions} has no room for a text and the "
                f"{hidden_tokens} states of a motion"
            )
        self.vocabulary, self.latent_numbers = vocabulary, latent_numbers
        self.hidden_tokens, self.max_text = hidden_tokens, positions - hidden_tokens
        self._sizes = {
            "width": width,
            "layers": layers,
            "heads": heads,
            "dropout": dropout,
            "positions": positions,
            "hidden_tokens": hidden_tokens,
        }
        self.token_embedding = nn.Embedding(vocabulary, width)
        self.position_embedding = nn.Embedding(positions, width)
        self.holders = nn.Parameter(INITIAL_STD * torch.randn(hidden_tokens, width))
        self.motion_input = nn.Linear(latent_numbers, hidden_tokens * width)
        self.dropout = nn.Dropout(dropout)
        self.blocks = nn.ModuleList(TwoBranchBlock(width, heads, dropout) for _ in range(layers))
        self.norms = nn.ModuleList([nn.LayerNorm(width), nn.LayerNorm(width)])
        self.apply(_initialise)

    def motion_of_text(self, ids: Tensor, lengths: Tensor) -> Tensor:
        """Hidden states (B, K, H) of the motion that texts (B, L) of `lengths` (B,) ask for."""
        text = self.token_embedding(ids)
        holders = self.holders.expand(len(ids), -1, -1)
        return self._run([(TEXT, text), (MOTION, holders)], lengths).motion

    def logits_of_motion(self, latents: Tensor, ids: Tensor) -> Tensor:
        """Logits (B, L, V) float32 of what follows each of ids (B, L), after a motion's latents.

        Args:
            latents: (B, N, D), scaled as the diffusion head's.
        """
        motion = self.motion_input(latents.flatten(1)).unflatten(1, (self.hidden_tokens, -1))
        lengths = torch.full((len(ids),), ids.shape[1], device=ids.device)
        parts = [(MOTION, motion), (TEXT, self.token_embedding(ids))]
        found: Tensor = F.linear(self._run(parts, lengths).text, self.token_embedding.weight)
        return found.float()

    def text_branch(self) -> Iterator[tuple[str, nn.Parameter]]:
        """Name and weights of what a language model of text alone has, too."""
        for name, weights in self.named_parameters():
            if name.startswith(TEXT_NAMES) or ".text." in name:
                yield name, weights

    def arguments(self) -> dict[str, Any]:
        """The constructor's arguments, fit for JSON."""
        return {
            "vocabulary": self.vocabulary,
            "latent_numbers": self.latent_numbers,
            **self._sizes,
        }

    def _run(self, parts: list[tuple[int, Tensor]], lengths: Tensor) -> Hidden:
        """Last states of all parts; padding of texts of `lengths` (B,) is looked at by nobody."""
        seen = torch.cat(
            [
                torch.arange(x.shape[1], device=x.device) < lengths[:, None]
                if number == TEXT
                else torch.ones(x.shape[:2], dtype=torch.bool, device=x.device)
                for number, x in parts
            ],
            1,
        )
        size = seen.shape[1]
        if size > self.position_embedding.num_embeddings:
            raise UserError(
                f"{size} positions of text and motion; the language model has "
                f"{self.position_embedding.num_embeddings}"
            )
        # Padding between text and motion moves nothing: positions count what is there.
        at = self.position_embedding((seen.cumsum(1) - 1).clamp(min=0))
        split = at.split([x.shape[1] for _, x in parts], 1)
        placed = [
            (number, self.dropout(x + one)) for (number, x), one in zip(parts, split, strict=True)
        ]
        before = torch.ones(size, size, dtype=torch.bool, device=seen.device).tril()
        # A padded position looks at itself, so that no row of the softmax is empty.
        itself = torch.eye(size, dtype=torch.bool, device=seen.device)
        visible = ((before & seen[:, None]) | itself)[:, None]
        for block in self.blocks:
            placed = block(placed, visible)
        found = {number: self.norms[number](x) for number, x in placed}
        return Hidden(found[TEXT], found[MOTION])


def _initialise(module: nn.Module) -> None:
    if isinstance(module, nn.Linear | nn.Embedding):
        nn.init.normal_(module.weight, std=INITIAL_STD)
    if isinstance(module, nn.Linear) and module.bias is not None:
        nn.init.zeros_(module.bias)
