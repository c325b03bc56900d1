"""What the golden checks of TM2T share: one case, its networks, and its tolerances."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from motiongpt.methods.tm2t.generating import Marks
from motiongpt.methods.tm2t.seq2seq import WordsToCodes
from motiongpt.methods.tm2t.translator import Translator, sinusoids
from tests.golden.tm2t_names import TABLE, TIED, recurrent_state, translator_state

ATOL, LOSSES, MANY_STEPS, LARGE_WEIGHTS = 2e-5, 1e-5, 5e-4, 1e-4
GRADIENTS = {"atol": 1e-5, "rtol": 1e-4}


@dataclass(frozen=True)
class Case:
    """One file of the subfolder, and what lies beside it."""

    name: str
    folder: Path
    arrays: Mapping[str, np.ndarray]
    report: Any

    def tensor(self, name: str) -> Tensor:
        return torch.from_numpy(self.arrays[name])

    def number(self, name: str) -> Any:
        return self.arrays[name].item()

    def config(self, name: str) -> Any:
        return self.number(f"cfg/{name}")

    def weights(self, prefix: str = "w/") -> dict[str, Tensor]:
        names = [name for name in self.arrays if name.startswith(prefix)]
        return {name.removeprefix(prefix): self.tensor(name) for name in names}

    def beside(self, name: str) -> "Case":
        """Another file, whose networks are needed."""
        with np.load(self.folder / name, allow_pickle=False) as stored:
            return Case(self.name, self.folder, dict(stored), self.report)

    @property
    def words(self) -> Marks:
        return Marks(*(self.config(f"trg_{name}") for name in ("start", "end", "pad")))

    @cached_property
    def translator(self) -> Translator:
        """In evaluation mode, with the weights of this case."""
        state, width = self.weights(), self.config("d_model")
        vectors = "encoder.emb.weight" in state
        # one width serves embedded ids and the blocks; heads may be of another width in all
        self.report.exact(self.name, "width of ids", width, self.config("d_trg_word_vec"))
        self.report.exact(self.name, "width of values", self.config("d_k"), self.config("d_v"))
        made = Translator(
            self.config("d_src_word_vec") if vectors else self.config("n_src_vocab"),
            self.config("n_trg_vocab"),
            width,
            self.config("d_inner"),
            self.config("n_enc_layers"),
            self.config("n_dec_layers"),
            self.config("n_head"),
            self.config("d_k"),
            self.config("dropout"),
            self.config("trg_emb_prj_weight_sharing"),
            vectors,
        )
        made.load_state_dict(translator_state(state))
        if not vectors:
            self.report.exact(self.name, "width of sources", width, self.config("d_src_word_vec"))
        for side, name in (("encoder", "n_src_position"), ("decoder", "n_trg_position")):
            rows = len(self.arrays[f"w/{side}.position_enc.{TABLE}"])
            self.report.exact(self.name, name, rows, self.config(name))
        self._check_tables(width)
        return made.eval()

    @cached_property
    def recurrent(self) -> WordsToCodes:
        """As released, in evaluation mode, with the weights of this case."""
        state = self.weights()
        made = WordsToCodes(
            self.config("dim_text"),
            self.config("n_mot_vocab"),
            self.config("text_hidden"),
            self.config("motion_hidden"),
            self.config("layers"),
            released=True,
        )
        made.load_state_dict(recurrent_state(state))
        tied = state["motion_decoder_step.input_emb.weight"]
        self.report.exact(self.name, f"w/{TIED}", tied, self.tensor(f"w/{TIED}"))
        return made.eval()

    def compare(self, values: Mapping[str, Any], atol: float = ATOL, rtol: float = 0) -> None:
        for name, value in values.items():
            self.report.compare(self.name, name, value, self.arrays[name], atol=atol, rtol=rtol)

    def exact(self, values: Mapping[str, Any]) -> None:
        for name, value in values.items():
            found = np.asarray(value) if not isinstance(value, Tensor) else value.numpy()
            self.report.exact(self.name, name, found, self.arrays[name])

    def gradients(self, prefix: str, loss: Tensor, network: nn.Module, name_of: Any) -> None:
        wanted = [one for one in self.arrays if one.startswith(prefix)]
        ours = dict(network.named_parameters())
        parameters = [ours[name_of(one.removeprefix(prefix))] for one in wanted]
        found = torch.autograd.grad(loss, parameters, retain_graph=True)
        for one, gradient in zip(wanted, found, strict=True):
            self.report.compare(self.name, one, gradient, self.arrays[one], **GRADIENTS)

    def _check_tables(self, width: int) -> None:
        for name in self.arrays:
            if name.endswith(TABLE):
                table = sinusoids(len(self.arrays[name]), width)
                self.report.compare(self.name, name, table, self.arrays[name], atol=ATOL)
