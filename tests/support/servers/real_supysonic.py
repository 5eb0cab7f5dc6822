"""A real supysonic server: an environment of its own, a database of the test's own, killed and begun again.

``SUPYSONIC`` names the folder of an environment with ``pip install supysonic waitress``; without it one that
is on the ``PATH`` is taken.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import time
import urllib.error
import urllib.request
from pathlib import Path

from support.free_ports import a_free_port
from support.waiting import PATIENCE_S

USER, PASSWORD = "ada", "s3cret & söme"


def supysonic_folder() -> Path | None:
    """Where its commands lie; None where it is not installed."""
    named = os.environ.get("SUPYSONIC")
    found = shutil.which("supysonic-server", path=f"{named}/bin" if named else None)
    return None if found is None else Path(found).parent


class Supysonic:
    """One server over one folder of music."""

    def __init__(self, folder: Path, music: Path) -> None:
        commands = supysonic_folder()
        assert commands is not None
        self._commands = commands
        self.folder = folder
        self.port = a_free_port()
        self.address = f"http://127.0.0.1:{self.port}"
        self._process: subprocess.Popen[bytes] | None = None
        folder.mkdir()
        (folder / ".supysonic").write_text(
            f"[base]\ndatabase_uri = sqlite:///{folder}/music.db\n"
            f"[webapp]\ncache_dir = {folder}/cache\nmount_webui = off\nlog_file = {folder}/log\n"
            f"[daemon]\nsocket = {folder}/daemon.sock\n"
        )
        self._environment = {**os.environ, "HOME": str(folder)}
        self.cli("user", "add", "-p", PASSWORD, USER)
        self.cli("folder", "add", "music", str(music))
        self.scan()
        self.start()

    def cli(self, *words: str) -> None:
        subprocess.run(
            [str(self._commands / "supysonic-cli"), *words],
            env=self._environment,
            check=True,
            capture_output=True,
            timeout=PATIENCE_S,
        )

    def scan(self) -> None:
        self.cli("folder", "scan", "--foreground", "music")

    def start(self) -> None:
        command = [str(self._commands / "supysonic-server"), "-S", "waitress", "-h", "127.0.0.1"]
        self._process = subprocess.Popen(
            [*command, "-p", str(self.port)],
            env=self._environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        until_s = time.monotonic() + PATIENCE_S
        while True:
            with contextlib.suppress(urllib.error.HTTPError), contextlib.suppress(OSError):
                with contextlib.suppress(urllib.error.HTTPError):
                    urllib.request.urlopen(  # noqa: S310 - loopback
                        f"{self.address}/rest/ping.view", timeout=PATIENCE_S
                    ).close()
                return
            assert time.monotonic() < until_s, "supysonic does not answer"
            time.sleep(0.1)

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def write_account(self, path: Path, **more: object) -> Path:
        lines = [f'address = "{self.address}"', f'user = "{USER}"', f'password = "{PASSWORD}"']
        lines.append('login = "password"')  # supysonic keeps a hash, from which it cannot tell a token
        lines += [
            f"{key} = {str(value).lower() if isinstance(value, bool) else repr(value)}"
            for key, value in more.items()
        ]
        path.write_text("\n".join(lines) + "\n")
        path.chmod(0o600)
        return path
