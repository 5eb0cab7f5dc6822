"""Where no browser can be driven, its tests are skipped and say why."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from support.browser.live_page import CHROMIUM

HERE = Path(__file__).parent
ROOT = HERE.parents[3]


def test_a_driver_that_does_not_start_is_a_skip_with_its_reason(tmp_path: Path) -> None:
    """A node whose library is missing ends so: a line on stderr, and exit status 127."""
    if not Path(CHROMIUM).exists():
        pytest.skip(f"Chromium is not installed at {CHROMIUM}")
    node = tmp_path / "node"
    node.write_text("#!/bin/sh\necho 'libatomic.so.1: cannot open shared object file' >&2\nexit 127\n")
    node.chmod(0o700)
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(HERE / "test_many_viewers.py")],
        cwd=ROOT,
        env=os.environ | {"PLAYWRIGHT_NODEJS_PATH": str(node), "PYTEST_ADDOPTS": "-m browser"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "error" not in done.stdout.splitlines()[-1]
    assert "Playwright's node does not start (apt install libatomic1): libatomic.so.1" in done.stdout
    assert done.returncode == 0
