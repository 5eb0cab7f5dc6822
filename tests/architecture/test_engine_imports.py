"""What a running engine loads: no training library, nothing that costs a second or a hundred megabytes."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TINY = ROOT / "tests" / "inference" / "data" / "tiny"

FORBIDDEN = (
    *("tensorflow", "keras", "sklearn", "pandas", "torch", "h5py", "matplotlib", "mne", "numba"),
    # the filters are designed in closed form: importing scipy.signal costs more than the whole engine
    *("scipy.signal", "scipy.stats"),
)

RUN = """
import sys
from pathlib import Path

import numpy as np

import daemon.wiring.engine
from acquisition.signal import EegChunk, StreamInfo
from acquisition.source_spec import parse_source
from acquisition.opening import make_source
from daemon.settings import Settings
from daemon.engine.network_choice import PipelineMaker

source = make_source(parse_source("simulated"), speed=None)
source.open()
settings = Settings(state_dir=sys.argv[2])
info = StreamInfo("test", "test", ("TP9", "AF7", "AF8", "TP10"), 250.0)
prepared = PipelineMaker(settings, (Path(sys.argv[1]),))(info)
prepared = prepared.load()()
assert prepared.model.name == "tiny", prepared
prepared.pipeline.push(EegChunk(np.random.default_rng(0).normal(size=(4, 2500)), np.arange(2500) / 250))
print("\\n".join(sorted(sys.modules)))
"""


def test_a_running_engine_imports_no_training_library(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", RUN, str(TINY.parent), str(tmp_path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    loaded = set(done.stdout.split())
    assert "numpy" in loaded
    assert "inference.networks.litert_classifier" in loaded
    assert not [name for name in FORBIDDEN if name in loaded]
    assert not [name for name in loaded if name.startswith("models.")]
