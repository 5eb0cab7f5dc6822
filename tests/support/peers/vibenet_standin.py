"""Makes a module named vibenet that answers by what it is given, for the real worker script to import."""

from __future__ import annotations

import sys
from pathlib import Path

MODULE = """
import os, time
print("a library that talks on standard output")
class Found:
    def __init__(self, energy, valence):
        self.energy, self.valence = energy, valence
class Model:
    def predict(self, samples, sr):
        assert sr == 16000 and samples.ndim == 1 and samples.dtype.itemsize == 4
        print("still talking")
        level = float(abs(samples).max())
        if {behaviour!r} == "crash": os._exit(9)
        if {behaviour!r} == "hang": time.sleep(60)
        if {behaviour!r} == "garbage": os.write({answers}, b"}}no json\\n")
        if {behaviour!r} == "nan": return [Found(float("nan"), 0.5)]
        if {behaviour!r} == "beyond": return [Found(7.0, 0.5)]
        if {behaviour!r} == "raise": raise ValueError("cannot hear this")
        return [Found(min(1.0, level), min(1.0, len(samples) / 160000))]
def load_model():
    if {behaviour!r} == "no start": raise ImportError("a library is missing")
    return Model()
"""


def standin_python(folder: Path, behaviour: str) -> Path:
    """An "interpreter" that runs the worker script it is given with the stand-in for vibenet.

    Energy is the peak, valence the length in tens of seconds. ``behaviour``: well, crash, hang, garbage, nan,
    beyond, raise, no start.
    """
    modules = folder / f"vibenet {behaviour}"
    (modules / "vibenet-0.1.0.dist-info").mkdir(parents=True)
    (modules / "vibenet-0.1.0.dist-info" / "METADATA").write_text("Name: vibenet\nVersion: 0.1.0\n")
    # the worker's answers go to the first descriptor that was free after its three
    (modules / "vibenet.py").write_text(MODULE.format(behaviour=behaviour, answers=3))
    python = folder / f"python-{behaviour.replace(' ', '-')}"
    python.write_text(
        f"#!{sys.executable}\nimport runpy, sys\n"
        f"sys.path.insert(0, {str(modules)!r})\n"
        "assert sys.argv[1] == '-I'\n"
        "runpy.run_path(sys.argv[2], run_name='__main__')\n"
    )
    python.chmod(0o755)
    return python
