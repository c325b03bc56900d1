"""A server of the Motion Model Context Protocol: Blender's client asks a trained model."""

import argparse
from collections.abc import Sequence

from motiongpt.errors import UserError
from motiongpt.published.small import SMALL

EXAMPLES = """examples:
  motiongpt mmcp outputs                                # the model of an experiment, on port 8000
  motiongpt mmcp outputs mdm/outputs --port 9000 --clean feet,smooth

Blender 4.2 with the add-on Proscenium, or any client of the protocol, then asks it: sentences one
after the other, each with a length. Poses, paths and reference motions are refused by name.
"""


def main(arguments: Sequence[str]) -> int:
    """Serve until interrupted."""
    options = _parser().parse_args(arguments)
    try:
        from motionmcp import serve

        from motiongpt.mmcp.backbone import ServedModel
    except ImportError as error:
        raise UserError(
            f"motiongpt mmcp needs {error.name}: pip install -e '.[mmcp]', in the project's folder"
        ) from error
    from motiongpt.api.motiongpt import load

    clean = tuple(word for word in options.clean.split(",") if word)
    served: dict[str, ServedModel] = {}
    for place in options.model:
        one = ServedModel(load(place, options.device), clean)
        if one.model_id in served:
            raise UserError(f"{place}: a model called {one.model_id} is served already")
        served[one.model_id] = one
        print(f"{one.model_id}: {place}", flush=True)
    serve(served, host=options.host, port=options.port, log_level="warning")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="motiongpt mmcp",
        description=__doc__,
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "model",
        nargs="*",
        default=[SMALL],
        metavar="MODEL",
        help="model folders, runs, experiments' roots or OWNER/NAME on the hub; default: small",
    )
    parser.add_argument("--host", default="127.0.0.1", help="default: this machine alone")
    parser.add_argument("--port", type=int, default=8000, help="default: 8000")
    parser.add_argument("--device", help="cpu, cuda; default: a GPU where there is one")
    parser.add_argument("--clean", default="", metavar="STEPS", help="feet,smooth; default: none")
    return parser
