"""What a language model can be asked. Shape letters: L tokens."""

from abc import ABC
from collections.abc import Mapping
from typing import ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from motiongpt.errors import UserError
from motiongpt.methods.motiongpt.tasks.clip_tokens import ClipTokens, Codes
from motiongpt.methods.motiongpt.tasks.example import Example
from motiongpt.methods.motiongpt.tasks.outputs import OutputReader
from motiongpt.methods.motiongpt.tasks.placeholders import Placeholders
from motiongpt.methods.motiongpt.tasks.query import Query
from motiongpt.methods.motiongpt.tasks.templates import TemplateKind, Templates


class Task(ABC):
    """One thing that a motion-language model can be asked, with its prompts and its outputs.

    A new task is one subclass in a file of its own and one yaml of `conf/tasks`.

    Class attributes:
        name: the key of its yaml.
        output: what the model generates, "motion" or "text".
        classes: template classes (the `class` of a template kind) that it trains on.
        evaluation_kind: kind whose first wording is the evaluation prompt, so that the model is
            tested with a sentence it was trained on.
    """

    name: ClassVar[str]
    output: ClassVar[Literal["motion", "text"]]
    classes: ClassVar[tuple[str, ...]]
    evaluation_kind: ClassVar[str]

    def __init__(
        self,
        templates: Templates,
        placeholders: Placeholders,
        reader: OutputReader,
        prompts: Templates,
        weight: float = 1.0,
        kind_weights: Mapping[str, float] | None = None,
    ) -> None:
        """Choose the templates of this task.

        Args:
            templates: all training templates; those of `classes` are used.
            placeholders: fills them.
            reader: reads and composes outputs.
            prompts: templates whose first wordings are the evaluation prompts; the training
                templates unless the test is meant to differ from the training.
            weight: share of this task in a mix.
            kind_weights: share of a template kind within the task, 1 for those not named.

        Raises:
            UserError: no template of this task, or a negative weight.
        """
        if weight < 0:
            raise UserError(f"task {self.name}: weight {weight} is negative; give 0 or more")
        self.weight = weight
        self.placeholders = placeholders
        self.reader = reader
        self.prompts = prompts
        self.kinds: tuple[TemplateKind, ...] = templates.of_classes(self.classes)
        if not self.kinds:
            raise UserError(
                f"{templates.source}: no templates of class {' or '.join(self.classes)}, "
                f"which task {self.name} needs; add a kind of that class"
            )
        self.kind_weights = _kind_weights(self.name, self.kinds, kind_weights or {})

    def usable(self, clip: ClipTokens) -> bool:
        """Whether `clip` is long enough and has the caption that at least one kind needs."""
        return clip.tokens >= 1 and bool(self._shares(clip).any())

    def example(self, clip: ClipTokens, rng: np.random.Generator) -> Example:
        """Draw a template kind by weight, a wording and a caption evenly, and fill them.

        Raises:
            UserError: the clip is too short, or has no caption where every kind needs one.
        """
        if not self.usable(clip):
            raise UserError(
                f"clip {clip.name}: {clip.tokens} tokens and {len(clip.captions)} captions make "
                f"no example of task {self.name}; leave it out (see Task.usable)"
            )
        shares = self._shares(clip)
        kind = self.kinds[int(rng.choice(len(self.kinds), p=shares / shares.sum()))]
        wording = kind.inputs[int(rng.integers(len(kind.inputs)))]
        target = kind.outputs[int(rng.integers(len(kind.outputs)))]
        caption = clip.captions[int(rng.integers(len(clip.captions)))] if clip.captions else ""
        return self.placeholders.example(wording, target, clip, caption, rng)

    def prompt(self, query: Query, wording: str | None = None, with_length: bool = False) -> str:
        """The prompt at test time: the first wording of the fitting kind, never quoted.

        Args:
            wording: another one, such as one of `wordings`, instead of the first.
            with_length: name the length in the prompt where the task can and it is known.

        Raises:
            UserError: the wording needs what the query does not hold.
        """
        if wording is None:
            wording = self._wording(self._kinds_for(query, with_length))
        return self.placeholders.prompt(wording, query)

    def wordings(self, query: Query) -> tuple[str, ...]:
        """All training wordings of the kind that `prompt` takes for the same query."""
        kinds = {kind.name: kind for kind in self.kinds}
        return next(
            (kinds[name].inputs for name in self._kinds_for(query, False) if name in kinds), ()
        )

    def output_tokens(self, query: Query) -> int | None:
        """How many motion tokens the output should have; None where open, or not a motion."""
        return query.tokens if self.output == "motion" else None

    def codes(self, output: str) -> Codes:
        """Codes of the motion that an output holds, empty where there is none."""
        return self.reader.codes(output)

    def compose(self, output: Codes, query: Query) -> Codes:
        """Make codes of the whole motion out of the codes that the model generated."""
        return np.asarray(output, np.int64)

    def _kinds_for(self, query: Query, with_length: bool) -> tuple[str, ...]:
        """Template kinds that ask `query`, the best first; tasks with several override this."""
        return (self.evaluation_kind,)

    def _wording(self, wanted: tuple[str, ...]) -> str:
        kinds = {kind.name: kind for kind in self.prompts.of_classes(self.classes)}
        for name in wanted:
            if name in kinds:
                return kinds[name].inputs[0]
        raise UserError(
            f"{self.prompts.source}: no kind {' or '.join(wanted)} for a prompt of task "
            f"{self.name} (has {', '.join(kinds)}); add it"
        )

    def _shares(self, clip: ClipTokens) -> NDArray[np.float64]:
        shares = self.kind_weights.copy()
        if not clip.captions:
            shares[[kind.needs_caption for kind in self.kinds]] = 0
        return shares


def _kind_weights(
    task: str, kinds: tuple[TemplateKind, ...], wanted: Mapping[str, float]
) -> NDArray[np.float64]:
    weights = np.array([float(wanted.get(kind.name, 1.0)) for kind in kinds])
    if (weights < 0).any() or not weights.any():
        raise UserError(
            f"task {task}: kind_weights {dict(wanted)} leave nothing to draw from; give weights "
            f"of 0 or more, not all 0, for {', '.join(kind.name for kind in kinds)}"
        )
    return weights
