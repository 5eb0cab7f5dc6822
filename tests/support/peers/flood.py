"""A client that publishes as fast as it is told to, in a process: ``python flood.py PORT TOPIC HZ``."""

from __future__ import annotations

import socket
import sys
import time

PAYLOAD = b'{"cue":"rest_end"}'


def packets(topic: bytes, count: int) -> bytes:
    """So many PUBLISH of QoS 0, MQTT 3.1.1."""
    body = len(topic).to_bytes(2, "big") + topic + PAYLOAD
    assert len(body) < 128
    return (b"\x30" + bytes([len(body)]) + body) * count


def main(port: int, topic: str, hz: int) -> None:
    """Until killed."""
    with socket.create_connection(("127.0.0.1", port)) as broker:
        broker.sendall(b"\x10\x11\x00\x04MQTT\x04\x02\x00\x00\x00\x05flood")
        broker.recv(4)
        burst = packets(topic.encode(), hz // 10)
        while True:
            broker.sendall(burst)
            time.sleep(0.1)


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2], int(sys.argv[3]))
