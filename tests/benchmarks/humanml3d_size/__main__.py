"""What waits at HumanML3D's size, by simulation: getting data ready, coding, training, scoring.

    python -m tests.benchmarks.humanml3d_size --clips 30000
    python -m tests.benchmarks.humanml3d_size --clips 2000 --sizes 500 1000
    python -m tests.benchmarks.humanml3d_size --clips 30000 --parts simulate verify prepare statistics

Writes clips of the lengths that HumanML3D's have into a folder of its layout (3.5 MB for 20 clips: 5 GB
for 30,000, twice that in all; deleted at the end) and measures each part in a process of its own, at
two or three sizes, so that growth is seen. Training is measured on ten steps, generation on 32
requests, scoring on three replications; the rest is projected linearly, and says so. Nothing is
downloaded. Exit status 1 if a part fails. Left in a folder: table.md and results.json.
"""

import argparse
import json
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from launch.runs.sources import git_state
from motiongpt.errors import UserError
from tests.benchmarks.clone import variables
from tests.benchmarks.humanml3d_size.part import Found
from tests.benchmarks.humanml3d_size.parts import PARTS, part_named
from tests.benchmarks.humanml3d_size.projection import costs
from tests.benchmarks.humanml3d_size.report import Measured, write_report
from tests.benchmarks.speed.machine import describe_machine

PROGRAM = "python -m tests.benchmarks.humanml3d_size"
SMALLER = (30, 8)  # a thirtieth and an eighth of the clips
FEWEST = 100
GPU_TFLOPS, UTILISATION = 312.0, 0.3  # an A100's bfloat16 products, as published


def main(arguments: Sequence[str]) -> int:
    """Measure and write; 1 if a part failed, 130 if it was interrupted."""
    options = _parse(arguments)
    sizes = sorted({*options.sizes, options.clips})
    began = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    folder = options.out or Path("outputs/humanml3d_size", began.replace(":", "-"))
    about = {
        "command": shlex.join([*PROGRAM.split(), *arguments]),
        "time": began,
        "sizes": sizes,
        "settings": {"threads": options.threads, "seed": options.seed},
        "machine": describe_machine(),
        "git": git_state(),
        "gpu_tflops": options.gpu_tflops,
        "utilisation": options.utilisation,
    }
    measured: list[Measured] = []
    interrupted = False
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # a time limit ends it as Ctrl-C does
    with tempfile.TemporaryDirectory(dir=options.folder, prefix="humanml3d-size-") as name:
        try:
            for clips in sizes:
                for part in options.parts or PARTS:
                    if clips <= part_named(part).most:
                        print(f"{clips:,} clips, {part}: {PARTS[part].title}", flush=True)
                        measured.append(_one(part, clips, Path(name), options))
                shutil.rmtree(Path(name, str(clips)), ignore_errors=True)
        except KeyboardInterrupt:
            interrupted = True
    print(write_report(folder, measured, costs(), about))
    print(f"\nwritten to {folder}")
    return 130 if interrupted else int(any(one.problem for one in measured))


def _one(part: str, clips: int, root: Path, options: argparse.Namespace) -> Measured:
    """Run a part in a process of its own."""
    file, log = root / "found.json", root / "log.txt"
    file.unlink(missing_ok=True)
    command = [sys.executable, "-m", "tests.benchmarks.humanml3d_size.one", part]
    command += [str(root / str(clips)), str(clips), str(options.threads), str(options.seed)]
    status = _ended([*command, str(file)], log)
    if status or not file.exists():
        said = [line for line in log.read_text(errors="replace").splitlines() if line.strip()]
        problem = f"status {status}: {said[-1] if said else ''}"[:300].replace("|", "/")
        print(f"  FAILED: {problem}", flush=True)
        return Measured(part, clips, problem=problem)
    kept = json.loads(file.read_text())
    beside = {key: kept.pop(key) for key in ("core_seconds", "start_bytes", "peak_bytes")}
    found = Found(**kept)
    print(
        f"  {found.seconds:.1f} s for {found.done:,.0f} {PARTS[part].unit}; "
        f"{found.whole:,.0f}: {found.projected:,.1f} s; {beside['core_seconds']:.1f} s of a core; "
        f"{beside['peak_bytes'] / 2**20:,.0f} MiB",
        flush=True,
    )
    return Measured(part, clips, found, **beside)


def _ended(command: Sequence[str], log: Path) -> int:
    """Exit status of a process, whose output goes into `log`."""
    with log.open("w") as lines:
        return subprocess.run(command, stdout=lines, stderr=lines, env=variables()).returncode


def _parse(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog=PROGRAM, description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--clips", type=int, default=30000, help="of the largest size")
    parser.add_argument("--sizes", type=int, nargs="*", help="smaller ones (default: 1/30 and 1/8)")
    parser.add_argument("--parts", nargs="*", metavar="PART", help=f"of {', '.join(PARTS)}")
    parser.add_argument("--threads", type=int, default=2, help="of the CPU (default: 2)")
    parser.add_argument("--seed", type=int, default=0, help="of the simulation (default: 0)")
    parser.add_argument("--gpu-tflops", type=float, default=GPU_TFLOPS, help="of the projection")
    parser.add_argument("--utilisation", type=float, default=UTILISATION, help="of the projection")
    parser.add_argument("--folder", type=Path, help="for the clips (default: a temporary one)")
    parser.add_argument("--out", type=Path, help="folder (default: outputs/humanml3d_size/TIME)")
    options = parser.parse_args(arguments)
    if options.sizes is None:
        options.sizes = [options.clips // part for part in SMALLER]
        options.sizes = [size for size in options.sizes if size >= FEWEST]
    if min(options.clips, *options.sizes, options.clips) < FEWEST or options.threads < 1:
        raise UserError(f"--clips and --sizes: {FEWEST} or more; --threads: 1 or more")
    if not (options.gpu_tflops > 0 and 0 < options.utilisation <= 1):
        raise UserError("--gpu-tflops: above 0; --utilisation: above 0 and at most 1")
    for name in options.parts or ():
        part_named(name)
    return options


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except UserError as error:
        sys.exit(f"{PROGRAM}: {error}")
