"""A network whose weights are shared out over all processes (torch's fully_shard, FSDP2).

Each process keeps a part of every weight; a block's are put together while it computes. The numbers
are DDP's: every gradient is the mean over the processes. Checkpoints and what is saved are whole,
as one process writes them: a run goes on with another number of processes, or with DDP.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import torch
from lightning.pytorch.strategies import ModelParallelStrategy, ParallelStrategy
from torch import Tensor, nn
from torch.distributed.device_mesh import DeviceMesh
from torch.distributed.fsdp import fully_shard, register_fsdp_forward_method
from torch.distributed.tensor import DTensor, distribute_tensor
from torch.optim import Optimizer

from motiongpt.training.frozen import changed_weights

DATA = "data_parallel"  # Lightning's name of the dimension over which weights are shared out


class ShardedStrategy(ModelParallelStrategy):
    """Lightning's for a module that shards itself in `configure_model`, with whole checkpoints.

    Lightning's own names an optimizer's states otherwise than one process does where weights are
    frozen, and reads no checkpoint in which frozen weights are left out.
    """

    def __init__(self, processes: int) -> None:
        super().__init__(processes, 1, save_distributed_checkpoint=False)

    @property
    def lightning_restore_optimizer(self) -> bool:
        """Lightning gives a checkpoint's states to `load_optimizer_state_dict`."""
        return True

    def lightning_module_state_dict(self) -> dict[str, Any]:
        """All processes call it; the first gets the whole weights, the others nothing.

        Frozen ones are left out: see `changed_weights`.
        """
        assert self.lightning_module is not None
        return whole(changed_weights(self.lightning_module), self.is_global_zero)

    def optimizer_state(self, optimizer: Optimizer) -> dict[str, Any]:
        """All processes call it; the first gets the whole states, the others nothing."""
        state = optimizer.state_dict()
        kept = {
            index: whole(values, self.is_global_zero) for index, values in state["state"].items()
        }
        return {**state, "state": kept} if self.is_global_zero else {}

    def load_checkpoint(
        self, checkpoint_path: str | Path, weights_only: bool | None = None
    ) -> dict[str, Any]:
        """The whole checkpoint, on every process."""
        return ParallelStrategy.load_checkpoint(self, checkpoint_path, weights_only)

    def load_model_state_dict(self, checkpoint: Mapping[str, Any], strict: bool = True) -> None:
        """Take this process's part of each weight."""
        module = self.lightning_module
        assert module is not None
        like = module.state_dict(keep_vars=True)
        state = {
            name: _part(value, like.get(name)) for name, value in checkpoint["state_dict"].items()
        }
        module.load_state_dict(state, strict=strict)

    def load_optimizer_state_dict(self, checkpoint: Mapping[str, Any]) -> None:
        """Take this process's part of each state."""
        for optimizer, state in zip(self.optimizers, checkpoint["optimizer_states"], strict=True):
            weights = [weight for group in optimizer.param_groups for weight in group["params"]]
            parts = {
                index: {name: _part(value, weights[index]) for name, value in values.items()}
                for index, values in state["state"].items()
            }
            optimizer.load_state_dict({**state, "state": parts})


def shard(module: nn.Module, mesh: DeviceMesh, methods: Iterable[str]) -> None:
    """Share out `module` in place, block by block; names of weights stay.

    Args:
        module: its blocks are the members of its outermost lists of modules.
        mesh: of one dimension, all processes.
        methods: of `module` that compute; its own weights are whole while one of them does.
    """
    for block in blocks(module):
        fully_shard(block, mesh=mesh)
    fully_shard(module, mesh=mesh)
    for name in methods:
        register_fsdp_forward_method(module, name)


def blocks(module: nn.Module) -> list[nn.Module]:
    """Members of the outermost lists of modules: the layers of a transformer."""
    if isinstance(module, nn.ModuleList):
        return list(module)
    return [block for child in module.children() for block in blocks(child)]


def is_sharded(tensors: Iterable[Tensor]) -> bool:
    """Whether this process has only a part of any of them."""
    return any(isinstance(tensor, DTensor) for tensor in tensors)


@torch.no_grad()
def whole(tensors: Mapping[str, Any], keep: bool) -> dict[str, Any]:
    """Put the parts of each tensor together, one after the other; all processes call it together.

    Args:
        tensors: by name; whatever else is among them stays.
        keep: whether this process wants them, in the machine's memory; others get nothing.
    """
    known: dict[int, Any] = {}  # tied weights stay one tensor
    for value in tensors.values():
        if id(value) not in known:
            full = value.full_tensor() if isinstance(value, DTensor) else value
            known[id(value)] = _kept(full) if keep else None
    return {name: known[id(value)] for name, value in tensors.items()} if keep else {}


def _kept(value: Any) -> Any:
    return value.detach().cpu() if isinstance(value, Tensor) else value


def whole_weights(module: nn.Module, keep: bool) -> dict[str, Tensor] | None:
    """What of a sharded module's weights a training changes, whole; None of another module.

    All processes call it together; see `whole`.
    """
    if not is_sharded(module.parameters()):
        return None
    return whole(changed_weights(module), keep)


def _part(value: Any, like: Any) -> Any:
    """This process's part of a whole tensor, cut as `like` is where that has the same shape."""
    if not isinstance(like, DTensor) or not isinstance(value, Tensor) or value.shape != like.shape:
        return value
    return distribute_tensor(value.to(like.device), like.device_mesh, like.placements)
