"""How the next token is chosen, and how much text may be generated."""

from dataclasses import dataclass

from motiongpt.errors import UserError
from motiongpt.methods.motiongpt.generation.precision import PRECISIONS

FREE_TOKENS = 64  # codes of a motion of free length: 49 are HumanML3D's 196 frames
STRATEGIES = ("sampling", "greedy", "beams")


@dataclass(frozen=True)
class Decoding:
    """One way to decode; built by Hydra from one yaml of `conf/decoding`.

    Attributes:
        strategy: "sampling", "greedy" or "beams".
        temperature: divides the logits before sampling.
        top_k: sample among the k likeliest tokens; 0 for all. 50 is what transformers does
            unasked, so what MotionGPT's `do_sample=True` does.
        top_p: sample among the likeliest tokens that hold this probability together.
        num_beams: hypotheses kept by "beams".
        max_text_tokens: a text ends after this many tokens at the latest. MotionGPT stops at 40,
            which cuts long captions.
        precision: of the weights' products, "float32" or "bfloat16". It is part of the decoding
            because another rounding may choose another token.
        batch_size: rows generated together; changes the result by rounding at most.
    """

    strategy: str = "sampling"
    temperature: float = 1.0
    top_k: int = 50
    top_p: float = 1.0
    num_beams: int = 1
    max_text_tokens: int = 64
    precision: str = "float32"
    batch_size: int = 128

    def __post_init__(self) -> None:
        """Refuse values that have no meaning.

        Raises:
            UserError: names the value and what is allowed.
        """
        if self.strategy not in STRATEGIES:
            raise UserError(
                f"decoding.strategy={self.strategy} is unknown: choose one of "
                f"{', '.join(STRATEGIES)}"
            )
        if self.precision not in PRECISIONS:
            raise UserError(
                f"decoding.precision={self.precision} is unknown: choose one of "
                f"{', '.join(PRECISIONS)}"
            )
        if self.temperature <= 0:
            raise UserError(f"decoding.temperature={self.temperature}: must be above 0")
        if not 0 < self.top_p <= 1:
            raise UserError(f"decoding.top_p={self.top_p}: must be above 0 and at most 1")
        if self.top_k < 0:
            raise UserError(f"decoding.top_k={self.top_k}: must be 0 (all tokens) or above")
        for name in ("num_beams", "max_text_tokens", "batch_size"):
            if getattr(self, name) < 1:
                raise UserError(f"decoding.{name}={getattr(self, name)}: must be at least 1")
        if self.strategy == "beams" and self.num_beams < 2:
            raise UserError("decoding.num_beams=1: strategy beams needs at least 2")
        if self.strategy != "beams" and self.num_beams != 1:
            raise UserError(
                f"decoding.num_beams={self.num_beams}: strategy {self.strategy} keeps one; "
                "choose decoding=beams"
            )
