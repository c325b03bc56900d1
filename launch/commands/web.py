"""A page for the browser: motion from words, to turn, to take home, to go on from."""

import argparse
import os
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from motiongpt.errors import UserError

EXAMPLES = """examples:
  motiongpt web                                     # the small model of the package
  motiongpt web outputs                             # the model of an experiment
  motiongpt web outputs/runs/instruct/SIGNATURE other/outputs my_model      # side by side
  motiongpt web outputs --port 9000 --seconds 30 --whisper faster-whisper-small

Everything is served by this machine, no other host is asked for anything. Other machines reach the
page with --host 0.0.0.0; who reaches it can use it, there is no password.
"""
SHARE = "gradio.live"


def main(arguments: Sequence[str]) -> int:
    """Serve until interrupted."""
    options = _parser().parse_args(arguments)
    if options.share is not None and options.share != SHARE:
        raise UserError(
            f"--share: a tunnel of another company's hosts would show this page to everybody; if "
            f"you want that, name it: --share {SHARE}"
        )
    # Before Gradio is imported: it reads both then.
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
    os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"
    from motiongpt.web.limits import MEGABYTE, Limits
    from motiongpt.web.serving import Address, serve

    given = {
        "seconds": options.seconds,
        "upload_bytes": options.upload_mb * MEGABYTE,
        "waiting": options.waiting,
    }
    serve(
        options.model,
        Address(options.host, options.port, options.share is not None),
        Limits(**given),
        device=options.device,
        whisper=options.whisper,
    )
    return 0


def _parser() -> argparse.ArgumentParser:
    from motiongpt.web.limits import MEGABYTE, Limits

    default = asdict(Limits())
    parser = argparse.ArgumentParser(
        prog="motiongpt web",
        description=__doc__,
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "model",
        nargs="*",
        metavar="MODEL",
        help="model folders, runs, experiments' roots or OWNER/NAME on the hub, of any method; "
        "default: small, the package's own",
    )
    parser.add_argument("--host", default="127.0.0.1", help="default: this machine alone")
    parser.add_argument("--port", type=int, default=8888, help="default: 8888")
    parser.add_argument("--device", help="cpu, cuda, ...; default: a GPU where there is one")
    parser.add_argument("--whisper", type=Path, metavar="FOLDER", help="for speech: faster-whisper")
    parser.add_argument(
        "--seconds",
        type=float,
        default=default["seconds"],
        help=f"that a request may take; default: {default['seconds']:g}",
    )
    parser.add_argument(
        "--upload-mb",
        type=int,
        default=default["upload_bytes"] // MEGABYTE,
        metavar="MB",
        help=f"of an uploaded file; default: {default['upload_bytes'] // MEGABYTE}",
    )
    parser.add_argument(
        "--waiting",
        type=int,
        default=default["waiting"],
        help=f"requests in the queue; default: {default['waiting']}",
    )
    parser.add_argument("--share", nargs="?", const="", metavar=SHARE, help=argparse.SUPPRESS)
    return parser
