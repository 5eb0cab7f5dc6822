"""A station as SHOUTcast and Icecast run them: sound over HTTP with titles between, on this machine."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

BETWEEN = 8000


@dataclass
class IcyStation:
    """Sends ``sound`` once to each listener; ``titles`` are (from which byte of sound, raw title)."""

    sound: bytes
    titles: Sequence[tuple[int, bytes]]
    status: bytes = b"HTTP/1.0 200 OK"
    said_between: bytes = b"8000"
    login: bytes = b""
    asked: list[bytes] = field(default_factory=list)
    address: str = ""

    def answer(self, conn: socket.socket) -> None:
        """One listener."""
        with conn, contextlib.suppress(OSError):
            asked = b""
            while b"\r\n\r\n" not in asked and (part := conn.recv(4096)):
                asked += part
            self.asked.append(asked)
            if self.login and b"authorization: basic " + self.login.lower() not in asked.lower():
                conn.sendall(b"HTTP/1.0 401 Unauthorized\r\n\r\n")
                return
            icy = b"icy-metadata: 1" in asked.lower() and self.said_between
            head = b"\r\nContent-Type: audio/mpeg\r\nicy-name: Test\r\n"
            conn.sendall(self.status + head + (b"icy-metaint:" + self.said_between + b"\r\n" if icy else b""))
            conn.sendall(b"\r\n")
            last = None
            for at in range(0, len(self.sound), BETWEEN):
                conn.sendall(self.sound[at : at + BETWEEN])
                if icy and self.said_between == b"8000" and len(self.sound) - at >= BETWEEN:
                    title = [said for begin, said in self.titles if begin <= at][-1]
                    conn.sendall(_between(b"" if title == last else title))
                    last = title


def _between(title: bytes) -> bytes:
    said = b"StreamTitle='" + title + b"';StreamUrl='';" if title else b""
    said += b"\0" * (-len(said) % 16)
    return bytes([len(said) // 16]) + said


@contextlib.contextmanager
def on_air(station: IcyStation, port: int = 0) -> Iterator[IcyStation]:
    """The station as long as it is needed."""
    with socket.create_server(("127.0.0.1", port)) as server:
        server.settimeout(0.2)
        over = threading.Event()
        answering: list[threading.Thread] = []

        def serve() -> None:
            while not over.is_set():
                with contextlib.suppress(TimeoutError):
                    conn, _ = server.accept()
                    conn.settimeout(30)
                    thread = threading.Thread(target=station.answer, args=(conn,), daemon=True)
                    thread.start()
                    answering.append(thread)

        serving = threading.Thread(target=serve, daemon=True)
        serving.start()
        station.address = f"http://127.0.0.1:{server.getsockname()[1]}/live"
        try:
            yield station
        finally:
            over.set()
            serving.join()
