"""Entry of a child process: ``python -m daemon.child [PARENT] ROLE``, the settings as JSON on standard input.

PARENT is the process that started it, by its number.
"""

from __future__ import annotations

import sys
from typing import cast, get_args

from daemon.errors import EXIT_BAD_INPUT, BadInputError
from daemon.processes.parent_death import die_with_parent
from daemon.settings import RoleName, from_json


def main() -> int:
    """Run the role named on the command line until it is told to stop."""
    *parent, role = sys.argv[1:]
    die_with_parent(*map(int, parent))
    if role not in get_args(RoleName):
        raise SystemExit(f"unknown role {role!r}")
    from daemon.wiring import load_role

    try:
        run = load_role(cast(RoleName, role))  # meanwhile the supervisor may still look for a headset
        return run(from_json(sys.stdin.buffer.read()))
    except BadInputError as error:
        sys.stderr.write(f"neuroplayer: {' '.join(str(error).split())}\n")
        return EXIT_BAD_INPUT


if __name__ == "__main__":
    sys.exit(main())
