"""Who may see the page: its own addresses, its own origin, and a token beyond loopback."""

from __future__ import annotations

import hmac
import ipaddress
import os
import re
import secrets
from pathlib import Path
from urllib.parse import urlsplit

TOKEN_BYTES = 16
"""128 bits."""
COOKIE = "neuroplayer_token"
_TOKEN = re.compile(r"[0-9a-f]{32}")
_LOCAL_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})


def is_loopback(host: str) -> bool:
    """Whether an address or name stands for this machine alone. An empty one stands for every interface."""
    name = host.strip("[]").lower()
    if name == "localhost":
        return True
    try:
        address = ipaddress.ip_address(name.partition("%")[0])
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return bool((mapped or address).is_loopback)


def own_token(state_dir: Path) -> str:
    """The token of this machine, made on first use in a file of mode 0600. Raises ``OSError``.

    A file that others may read, or that holds something else, is replaced: its token is not secret any more.
    """
    path = state_dir / "web-token"
    state_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
    except FileNotFoundError:
        return _new_token(path)
    with os.fdopen(handle, "rb") as file:
        private = os.fstat(file.fileno()).st_mode & 0o077 == 0
        text = file.read(200).decode("ascii", "replace").strip()
    if private and _TOKEN.fullmatch(text):
        return text
    path.unlink()
    return _new_token(path)


def _new_token(path: Path) -> str:
    token = secrets.token_hex(TOKEN_BYTES)
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    with os.fdopen(handle, "w") as file:
        file.write(token + "\n")
    return token


def page_address(host: str, port: int, state_dir: Path, *, token: bool | None = None) -> str:
    """The address a person opens: beyond loopback with the token, for all interfaces by the machine's name.

    ``token`` says whether it is asked for where the host does not tell. Raises ``OSError`` when the token
    cannot be kept.
    """
    bare = host.strip("[]")
    name = os.uname().nodename if bare in ("", "0.0.0.0", "::") else bare  # noqa: S104 - compared, not bound
    address = f"http://{f'[{name}]' if ':' in name else name}:{port}"
    asked = not is_loopback(bare) if token is None else token
    return f"{address}/?token={own_token(state_dir)}" if asked else address


def same_token(given: str, wanted: str) -> bool:
    """Compared in constant time."""
    return hmac.compare_digest(given.encode(), wanted.encode())


def split_host(header: str) -> str:
    """The name in a ``Host`` header, without the port; empty for what is no host."""
    try:
        return (urlsplit(f"//{header}").hostname or "").lower()
    except ValueError:
        return ""


def host_allowed(header: str, *, local_only: bool) -> bool:
    """On loopback only loopback's own names: a foreign name that resolves here is a rebinding attack.

    Beyond loopback the token protects, whatever the machine is called.
    """
    name = split_host(header)
    return bool(name) and (not local_only or name in _LOCAL_NAMES or is_loopback(name))


def origin_allowed(origin: str | None, host: str, *, required: bool) -> bool:
    """Whether a request comes from the page itself. Programs that are no browsers send no origin."""
    if origin is None:
        return not required
    try:
        parts = urlsplit(origin)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and parts.netloc.lower() == host.lower()


def content_policy(nonce: str) -> str:
    """Content-Security-Policy of the page.

    Nothing from elsewhere, no inline script but those of this answer. ``unsafe-eval`` stays because NiceGUI's
    elements are compiled in the browser; inline styles stay for Quasar and the charts.
    """
    return "; ".join(
        (
            "default-src 'none'",
            f"script-src 'self' 'nonce-{nonce}' 'unsafe-eval'",
            "script-src-attr 'none'",
            "object-src 'none'",
            "style-src 'self' 'unsafe-inline'",
            "img-src 'self' data: blob:",
            "font-src 'self'",
            "connect-src 'self'",
            "manifest-src 'self'",
            "worker-src 'self'",
            "form-action 'self'",
            "base-uri 'none'",
            "frame-ancestors 'none'",
        )
    )
