"""What one step of a language stage is computed from: its batch in parts, and what is in it."""

from collections.abc import Iterator, Sequence
from functools import partial
from typing import NamedTuple

from torch import Tensor

from motiongpt.backbones.base import Backbone
from motiongpt.errors import UserError
from motiongpt.methods.motiongpt.tasks.example import Example, TokenExample
from motiongpt.methods.motiongpt.training.unsupervised import Row, token_rows
from motiongpt.training.schedule import share_of_batch


class LanguageBatch(NamedTuple):
    """One process's share of a step's clips; Lightning moves its tensors to the device.

    Attributes:
        parts: batches that `Backbone.collate_ids` made, computed one after the other.
        clips: rows of all parts.
        input_tokens, target_tokens: of all parts, padding left out.
        positions: the same with padding.
    """

    parts: tuple[dict[str, Tensor], ...]
    clips: int
    input_tokens: int
    target_tokens: int
    positions: int

    @property
    def label_counts(self) -> tuple[int, ...]:
        """Labels that count, of each part; known without asking the device."""
        return tuple(len(part["label_positions"]) for part in self.parts)


def collate_parts(
    examples: Sequence[Example | TokenExample], backbone: Backbone, parts: int = 1
) -> LanguageBatch:
    """Examples as `parts` batches of equally many, each padded to its own longest row only.

    Parts are of rows of like lengths. A last batch of a validation may have fewer examples than
    `parts`: it then has fewer parts.
    """
    reads_apart = backbone.language_model.config.is_encoder_decoder
    together = token_rows(backbone, examples)
    if parts > 1:
        together.sort(key=_task_and_length if reads_apart else _length)
    batches = [
        backbone.collate_ids([read for read, _ in some], [written for _, written in some])
        for some in _portions(together, parts)
    ]
    rows = [batch["attention_mask"] for batch in batches]
    shown = sum(int(mask.sum()) for mask in rows)
    positions = sum(mask.numel() for mask in rows)
    labels = [batch["labels"] for batch in batches]
    targets = sum(len(batch["label_positions"]) for batch in batches)
    return LanguageBatch(
        tuple(batches),
        len(examples),
        shown if reads_apart else max(0, shown - targets),
        targets,
        positions + sum(label.numel() for label in labels) if reads_apart else positions,
    )


def check_parts(stage: str, batch_size: int, world: int, parts: int) -> None:
    """Refuse gradient accumulation that a process's share of the batch can't be cut into.

    Raises:
        UserError: names the numbers of parts that are possible.
    """
    share = share_of_batch(stage, batch_size, world)
    if parts < 1 or share % parts:
        possible = [str(count) for count in range(1, share + 1) if share % count == 0]
        raise UserError(
            f"trainer.hardware.accumulate={parts} can't divide the {share} clips that a process "
            f"has of a step of stage {stage}; choose one of: {', '.join(possible)}"
        )


def collator(backbone: Backbone, parts: int) -> partial[LanguageBatch]:
    """`collate_parts` with all but the examples bound; can be sent to worker processes."""
    return partial(collate_parts, backbone=backbone, parts=parts)


def _portions(rows: Sequence[Row], parts: int) -> Iterator[Sequence[Row]]:
    size = -(-len(rows) // parts)
    return (rows[first : first + size] for first in range(0, len(rows), size))


def _length(row: Row) -> int:
    return len(row[0]) + len(row[1])


def _task_and_length(row: Row) -> int:
    """Rows that read much and write little are far from those that read little and write much.

    What is read and what is written is padded apart, and the tasks differ in both.
    """
    return len(row[0]) - len(row[1])
