"""In what numbers a language model generates."""

import torch

PRECISIONS = ("float32", "bfloat16")


# Of the embedding. Narrower models generate no faster in bfloat16 (measured: width 128, 20 rows,
# 0.13 against 0.11 s on AVX-512 with bfloat16; width 768, 32 rows, 7 against 10 s).
NARROW = 256


def fastest_precision(device: torch.device, width: int) -> str:
    """bfloat16 where the device multiplies it natively and the model is wide enough to gain by it.

    Args:
        width: of the language model.
    """
    if width <= NARROW:
        return "float32"
    if device.type == "cuda":
        return "bfloat16" if torch.cuda.is_bf16_supported(including_emulation=False) else "float32"
    native = device.type == "cpu" and torch.backends.mkldnn.is_available() and _cpu_has_bfloat16()
    return "bfloat16" if native else "float32"


def _cpu_has_bfloat16() -> bool:
    """As torch says; a torch that does not leaves float32, which is right everywhere."""
    names = ("_is_avx512_bf16_supported", "_is_amx_tile_supported")
    return any(getattr(torch.cpu, name, bool)() for name in names)
