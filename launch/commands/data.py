"""Prepare, verify, show or judge motion data; map a BVH file's joints and read them."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from omegaconf import DictConfig

from launch.composition.compose import compose_config
from launch.composition.datasets import (
    ensure_store,
    known_store,
    make_source,
    of_sources,
    store_settings,
)
from launch.joint_mappings import add_mapping_options, mapping
from launch.plan_options import add_config_dir, with_own_configs
from motiongpt.data.bvh import read_bvh
from motiongpt.data.captured import captured, checked_skip, option_of_command
from motiongpt.data.joint_mapping import load_mapping
from motiongpt.data.own_bvh import mapping_of
from motiongpt.data.store import MotionStore
from motiongpt.errors import UserError
from motiongpt.files import save_array
from motiongpt.printable import printable

EXAMPLES = """examples:
  motiongpt data prepare data=synthetic
  motiongpt data verify data=humanml3d data.source.path=HumanML3D --strict
  motiongpt data show data=synthetic
  motiongpt data card data=bandai_namco data.source.split=held_out_cells
  motiongpt data mapping walk.bvh
  motiongpt data joints walk.bvh walk.npy
"""


def main(arguments: Sequence[str]) -> int:
    """Run one of prepare, verify, show, card, mapping, joints."""
    parser = argparse.ArgumentParser(
        prog="motiongpt data",
        description=__doc__,
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    for name, action in (("prepare", prepare), ("verify", verify), ("show", show), ("card", card)):
        sub = actions.add_parser(name, help=action.__doc__, description=action.__doc__)
        sub.add_argument("overrides", nargs="*", help="Hydra overrides, as data=humanml3d")
        add_config_dir(sub)
        sub.set_defaults(run=action)
        if name == "prepare":
            sub.add_argument("--again", action="store_true", help="also where a store is there")
        if name == "verify":
            sub.add_argument(
                "--strict",
                action="store_true",
                help="exit with 1 on any finding, not only where no store can be made",
            )
    sub = actions.add_parser("mapping", help=mapping.__doc__, description=mapping.__doc__)
    add_mapping_options(sub)
    sub.set_defaults(run=mapping)
    sub = actions.add_parser("joints", help=joints.__doc__, description=joints.__doc__)
    sub.add_argument("bvh", type=Path)
    sub.add_argument("out", type=Path)
    sub.add_argument("--mapping", help="yaml of joint names, or the name of a shipped mapping")
    sub.add_argument(
        "--metres-per-unit",
        type=_positive,
        metavar="X",
        help="the file's unit, instead of the mapping's metres_per_unit: 1, 0.01, 0.001 …",
    )
    sub.add_argument("--up-axis", choices=("Y", "Z"), help="the file's, instead of the mapping's")
    sub.add_argument(
        "--skip-first",
        type=int,
        default=0,
        metavar="N",
        help="frames at the start of the file to leave out: 1 for a T-pose",
    )
    sub.set_defaults(run=joints)
    options = parser.parse_args(arguments)
    return int(options.run(options))


def _config(options: argparse.Namespace) -> DictConfig:
    return compose_config(with_own_configs(options.overrides, options))


def prepare(options: argparse.Namespace) -> int:
    """Build the store that experiments open."""
    folder, fingerprint = ensure_store(_config(options), options.again)
    print(f"store: {folder}\nfingerprint: {fingerprint}")
    return 0


def verify(options: argparse.Namespace) -> int:
    """Name every bad file, and print counts found beside counts expected."""
    config = _config(options)
    status = 0
    for name, one in of_sources(config).items():
        if one is not config:
            print(f"{name}:")
        status = max(status, _verify_one(one, options.strict))
    return status


def _verify_one(config: DictConfig, strict: bool) -> int:
    from motiongpt.data.verify import verify_source  # of torch, which makes features

    settings = store_settings(config)
    settings.pop("name")
    report = verify_source(make_source(config), **settings)
    print("\n".join(report.lines()))
    return 0 if report.ok or (report.usable and not strict) else 1


def show(options: argparse.Namespace) -> int:
    """Print what a prepared store holds, with a few of its captions."""
    store = MotionStore.open(known_store(_config(options))[0])
    print(
        f"{store.name}: {len(store)} clips, {store.n_features} features, {store.fps:g} fps, "
        f"fingerprint {store.fingerprint}"
    )
    for split in ("train", "val", "test"):
        frames = store.lengths[store.indices(split)]
        spread = (
            f"{frames.min()} to {frames.max()} frames, median {np.median(frames):.0f}"
            if len(frames)
            else "none"
        )
        print(f"  {split:<6}{len(frames):>7} clips  {spread}")
    silent = len(store.without_captions(np.arange(len(store))))
    if silent:
        print(f"  {silent:,} clips have no caption")
    for index in store.indices("train")[:5]:
        captions = store.captions(index)
        said = captions[0].text if captions else "no caption"
        print(f"  {printable(f'{store.names[index]}: {said}')}")
    return 0


def card(options: argparse.Namespace) -> int:
    """Say how near val and test are to train: what of them could be looked up."""
    from motiongpt.data.card import CARD, data_card  # of torch, which makes joints

    store = MotionStore.open(known_store(_config(options))[0])
    cards = data_card(store)
    if not cards:
        raise UserError(f"{store.folder}: no clips in train, or none in val and test, to compare")
    for one in cards.values():
        print(one)
    print(f"kept in {store.folder / CARD}")
    return 0


def _positive(text: str) -> float:
    value = float(text)
    if not 0 < value < float("inf"):
        raise argparse.ArgumentTypeError(f"{text}: expected a number above zero")
    return value


def joints(options: argparse.Namespace) -> int:
    """Write a BVH file's joints: (T, 22, 3) float32 metres at 20 fps, world position untouched."""
    bvh = read_bvh(options.bvh)
    where = f"{options.bvh}:{bvh.motion_line}"
    mapping = load_mapping(options.mapping) if options.mapping else mapping_of(bvh, where)
    mapping = mapping.with_units(options.metres_per_unit, options.up_axis)
    skip = checked_skip(options.skip_first, "--skip-first")
    found = captured(bvh, mapping, 20.0, str(options.bvh), skip)
    for line in found.odd(option_of_command, options.up_axis).values():
        print(printable(f"{options.bvh}: warning: {line}"), file=sys.stderr)
    save_array(options.out, found.joints)
    print(f"{options.out}: {found.joints.shape} {found.joints.dtype}", file=sys.stderr)
    return 0
