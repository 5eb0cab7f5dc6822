"""One that listens at a broker."""

from __future__ import annotations


class Ear:
    def __init__(self) -> None:
        self.heard: list[tuple[str, bytes]] = []

    def __call__(self, topic: str, payload: bytes, retained: bool) -> None:
        self.heard.append((topic, payload))

    def on(self, topic: str) -> list[bytes]:
        return [payload for name, payload in self.heard if name == topic]
