"""MotionGPT for people: what every model can do, and instructions that mix words and motion."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from motiongpt.allocation import keep_freed_memory
from motiongpt.api.chat import ChatOutput, Message, chat_outputs, chat_prompts
from motiongpt.api.inputs import seed_of
from motiongpt.api.model import Model, device_of
from motiongpt.api.opening import Opened, open_model
from motiongpt.errors import UserError
from motiongpt.methods.base import Output, Request
from motiongpt.methods.motiongpt.generation.decoding import Decoding
from motiongpt.methods.motiongpt.method import MotionGPTMethod


class MotionGPT(Model):
    """A motion-language model; `MotionGPT.from_pretrained` opens one.

    `text_to_motion`, `motion_to_text`, `predict` and `in_between` take `decoding`, another way to
    decode than the protocol `ours` has: motion is drawn, completions and words are the likeliest.
    """

    method: MotionGPTMethod

    def __init__(self, opened: Opened, precision: str | None = None) -> None:
        super().__init__(opened)
        if not isinstance(opened.method, MotionGPTMethod):
            raise UserError(
                f"{opened.name}: a model of method {opened.method.name}; open it with "
                "motiongpt.load"
            )
        self.method = opened.method
        chosen = Decoding(precision=precision or self.method.fastest())  # refuses what there is not
        self.method.options = self.method.options.all_with(None, chosen.precision)

    @classmethod
    def from_pretrained(
        cls,
        where: str | Path,
        device: str | torch.device | None = None,
        precision: str | None = None,
        revision: str | None = None,
        keep_memory: bool = False,
    ) -> MotionGPT:
        """Open a trained model.

        Args:
            where: a model folder; a finished run, as outputs/runs/instruct/SIGNATURE; the root of
                an experiment with one of them; or a name of the Hugging Face hub, OWNER/NAME.
            device: such as "cuda" or "cpu"; None takes a GPU where there is one.
            precision: of the language model, "float32" or "bfloat16"; None takes the faster one.
            revision: branch, tag or commit of a model on the hub.
            keep_memory: have this whole process keep freed memory for itself, which generates
                faster on a CPU (glibc only); see `motiongpt.allocation`.

        Raises:
            UserError: nothing there that can be opened, a model of another method, or no such
                device.
        """
        if keep_memory:
            keep_freed_memory()
        return cls(open_model(where, device_of(device), revision), precision)

    def chat(
        self,
        messages: str | Message | Sequence[str | Message],
        output: str = "any",
        seed: int | None = None,
        decoding: Decoding | None = None,
    ) -> list[ChatOutput]:
        """Outputs for instructions that mix words and motion.

        Args:
            messages: an instruction is a sentence, or a list of words and motions in their order,
                as `["Describe ", motion, " in words."]`; give one, or a list of them. Each is
                a request of its own.
            output: "text", "motion", or "any": what the model begins to generate.

        Raises:
            UserError: an instruction without words, or with something else in it.
        """
        prompts, words = chat_prompts(self.method, self.skeleton, self.fps, messages, output)
        for index, one in enumerate(prompts):
            self.method.check_room(one, f"input {index}")
        way = decoding or self.method.options.motion_decoding
        outputs = self.method.generate_prompted(prompts, seed_of(seed), way)
        return chat_outputs(outputs, words, self.skeleton, self.fps)

    def _outputs(
        self, requests: Sequence[Request], seed: int | None, **options: Any
    ) -> list[Output]:
        decoding = options.pop("decoding", None)
        if options:
            raise UserError(f"{next(iter(options))}: no such option; valid: decoding")
        self.method.check_tasks(requests)
        chosen = seed_of(seed)
        prompted = self.method.prompted(requests, chosen)
        for index, one in enumerate(prompted):
            self.method.check_room(one, f"input {index}")
        precision = self.method.options.motion_decoding.precision
        way = self.method.options.all_with(decoding, precision).motion_decoding
        return self.method.generate_prompted(prompted, chosen, way if decoding else None)


def load(
    where: str | Path,
    device: str | torch.device | None = None,
    revision: str | None = None,
    keep_memory: bool = False,
) -> Model:
    """Open a trained model of any method.

    Args:
        where: a model folder, a finished run, an experiment's root, or OWNER/NAME on the hub.
        device: None takes a GPU where there is one.
        revision: branch, tag or commit of a model on the hub.
        keep_memory: as of `MotionGPT.from_pretrained`.

    Raises:
        UserError: nothing there that can be opened, or no such device.
    """
    if keep_memory:
        keep_freed_memory()
    opened = open_model(where, device_of(device), revision)
    return MotionGPT(opened) if isinstance(opened.method, MotionGPTMethod) else Model(opened)
