"""Sets limits on its own process and then runs a module, as ``python -m MODULE`` would.

``python -m models.files.limited_child CPU_S MEMORY_BYTES MODULE [ARGUMENT ...]``; 0 is no limit. The parent
cannot set them between fork and exec: it has threads (TensorFlow's), whose locks would be copied held.
"""

from __future__ import annotations

import resource
import runpy
import sys
from collections.abc import Sequence


def main(arguments: Sequence[str]) -> None:
    """Never returns where the module ends the process."""
    cpu_s, memory_bytes, module = int(arguments[0]), int(arguments[1]), arguments[2]
    if cpu_s:
        resource.setrlimit(resource.RLIMIT_CPU, (cpu_s, cpu_s))
    if memory_bytes:
        resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    sys.argv = [module, *arguments[3:]]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main(sys.argv[1:])
