"""Muon for a network's matrices and filters, AdamW for everything else, as one optimizer."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import AdamW, Optimizer

from motiongpt.errors import UserError

TALL = 8.0
"""Rows to columns from which on a matrix is taken for a table, an embedding: feed-forward layers
have 4, the quickstart's T5 14."""
NARROW = 32
"""Rows or columns below which a matrix is too narrow for Muon, as T5's table of positions is."""


class MuonWithAdamW(Optimizer):
    """Steps whose matrices are made orthogonal (Muon, Jordan 2024); few steps go a long way.

    Muon itself is torch's. Its rate is matched to AdamW's (Liu et al. 2025, arXiv:2502.16982), so
    that a learning rate that suits AdamW is a fair first guess. Filters of a convolution are
    matrices of (channels out, channels in x kernel), as Jordan takes them.

    A table's step is in proportion to its size, as Adafactor's (Shazeer and Stern 2018,
    arXiv:1804.04235, section 8), by which T5 was trained: T5's table begins with variance 1 and
    GPT-2's with 0.0004, and one rate can't suit both.

    Args:
        params: to be trained.
        lr: learning rate of all but tables.
        tables: learning rate of a table, in units of `lr` times the root mean square that it has
            when this is made.
        betas, fused: of AdamW.
        momentum: of Muon.
        weight_decay: of matrices and filters.

    Raises:
        UserError: a torch that has no Muon, weights that FSDP has shared out, or a number that
            makes no sense.
    """

    def __init__(
        self,
        params: Iterable[nn.Parameter],
        lr: float,
        tables: float = 40.0,
        betas: tuple[float, float] = (0.9, 0.99),
        momentum: float = 0.95,
        weight_decay: float = 0.0,
        fused: bool = True,
    ) -> None:
        if not hasattr(torch.optim, "Muon"):
            raise UserError(
                f"optimizer=muon needs torch 2.9 or newer, and this is {torch.__version__}; "
                "take optimizer=adamw, or a newer torch"
            )
        if not tables > 0:
            raise UserError(f"optimizer.tables={tables}: a number above 0 is needed")
        every = [one for one in params if one.requires_grad]
        if any(hasattr(one, "full_tensor") for one in every):
            raise UserError(
                "optimizer=muon needs whole matrices, and FSDP shares each out; take "
                "optimizer=adamw, or trainer.hardware.strategy=ddp"
            )
        self._matrices = [one for one in every if _is_matrix(one)]
        others = [one for one in every if not _is_matrix(one) and not _is_table(one)]
        groups: list[dict[str, Any]] = [{"params": others, "lr": lr}] if others else []
        groups += [
            {"params": [one], "lr": lr * tables * _size(one)} for one in every if _is_table(one)
        ]
        self._parts: list[Optimizer] = []
        if groups:
            own = [dict(group) for group in groups]
            self._parts.append(AdamW(own, betas=betas, weight_decay=0.0, fused=fused))
        # Muon takes matrices only: it is given views of the weights, and of their gradients.
        self._views = [nn.Parameter(_matrix(one)) for one in self._matrices]
        if self._views:
            groups.append({"params": self._matrices, "lr": lr})
            muon = torch.optim.Muon(
                self._views,
                lr=lr,
                momentum=momentum,
                weight_decay=weight_decay,
                adjust_lr_fn="match_rms_adamw",
            )
            self._parts.append(muon)
        super().__init__(groups, {"lr": lr, "fused": fused})

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """One step of both; gives what `closure` gives."""
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for view, weight in zip(self._views, self._matrices, strict=True):
            view.data = _matrix(weight)
            view.grad = None if weight.grad is None else weight.grad.flatten(1)
        rates = iter(self.param_groups)
        for part in self._parts:
            for group in part.param_groups:
                group["lr"] = next(rates)["lr"]
            part.step()
        for view in self._views:
            view.grad = None
        return loss

    def state_dict(self) -> dict[str, Any]:
        """The groups as every optimizer has them, and in place of a state that of both parts."""
        found = super().state_dict()
        return {**found, "state": {n: part.state_dict() for n, part in enumerate(self._parts)}}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """What `state_dict` gave.

        Raises:
            UserError: that of another optimizer.
        """
        parts = state_dict["state"]
        if len(parts) != len(self._parts) or not all(
            "param_groups" in one for one in parts.values()
        ):
            raise UserError(
                "the checkpoint was written by another optimizer than optimizer=muon, and can't be "
                "gone on from; start the stage anew"
            )
        super().load_state_dict({**state_dict, "state": {}})
        for number, part in enumerate(self._parts):
            part.load_state_dict(parts[number])


def _matrix(weight: Tensor) -> Tensor:
    """The same numbers as (rows, columns), no copy."""
    return weight.detach().view(len(weight), -1)


def _is_matrix(weight: Tensor) -> bool:
    if weight.ndim < 2 or _is_table(weight):
        return False
    return min(_matrix(weight).shape) >= NARROW


def _is_table(weight: Tensor) -> bool:
    if weight.ndim != 2:
        return False
    rows, columns = weight.shape
    return columns >= NARROW and rows >= TALL * columns


def _size(weight: Tensor) -> float:
    """Root mean square; 1 of a table of zeros, whose own says nothing."""
    found = float(weight.detach().float().square().mean().sqrt())
    return found if found > 0 else 1.0
