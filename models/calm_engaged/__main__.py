"""``python -m models.calm_engaged``: make the shipped networks anew from the recordings."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from acquisition.port import SourceError
from models.calm_engaged.montages import SHIPPED
from models.calm_engaged.recipe import SEED, make_network
from models.calm_engaged.training import RecipeSettings
from models.errors import ModelsError
from models.files.folders import shipped


def main() -> int:
    """Parse the options, make each network; 0 done, 2 bad input."""
    parser = argparse.ArgumentParser(prog="python -m models.calm_engaged", description=__doc__)
    parser.add_argument("data", type=Path, help="people set (.npz): see models/README.md")
    parser.add_argument("--out", type=Path, default=shipped(), help="folder of networks")
    parser.add_argument("--only", choices=[m.name for m in SHIPPED], help="make this one alone")
    parser.add_argument("--seed", type=int, default=SEED)
    given = parser.parse_args()
    try:
        for montage in SHIPPED:
            if given.only in (None, montage.name):
                folder = given.out / montage.name
                make_network(given.data, montage, RecipeSettings(), folder, _notify, given.seed)
    except (SourceError, ModelsError, OSError, ValueError) as error:
        sys.stderr.write(f"calm_engaged: {error}\n")
        return 2
    return 0


def _notify(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
