"""The child that tries networks before the engine does: ``python -m inference.networks.vetting_child``.

It reads one request a line (a manifest with its folder, and the name of one of its files), loads that file,
runs the golden vectors and a spread of other inputs, and answers one line. LiteRT may crash on a bad file:
then this process dies, and nothing else.
"""

from __future__ import annotations

import contextlib
import sys

import msgspec
import numpy as np

from inference.networks.litert_classifier import LiteRtClassifier, load_interpreter
from inference.networks.manifest import Manifest, check_manifest
from inference.port import ClassifierError

MAX_MEMORY_BYTES = 4 * 2**30
READY = b"ready\n"
"""Said once everything is imported: from here on, time goes to the network alone."""
N_TRIALS = 32
REACH = 4.0
"""z-scores are clipped there, so nothing larger ever reaches a network."""


class Request(msgspec.Struct, frozen=True):
    """Which file of which network to try."""

    manifest: Manifest
    variant: str


class Answer(msgspec.Struct, frozen=True):
    """Empty ``error`` when the network may be used."""

    error: str = ""


def try_network(manifest: Manifest, variant: str) -> None:
    """Load and run one file as the engine would. Raises ``ClassifierError``."""
    check_manifest(manifest)
    classifier = LiteRtClassifier(manifest, variant)
    shape = (manifest.sequence_length, manifest.n_features)
    rng = np.random.default_rng(0)
    trials = [np.zeros(shape), np.full(shape, REACH), np.full(shape, -REACH)]
    trials += [np.clip(rng.normal(size=shape) * 1.5, -REACH, REACH) for _ in range(N_TRIALS)]
    for features in trials:
        classifier.predict(features)
    classifier.close()


def main() -> None:
    """Say that all is loaded, then answer requests until the parent closes the pipe."""
    with contextlib.suppress(ClassifierError):  # each trial says so
        load_interpreter()
    _limit()
    sys.stdout.buffer.write(READY)
    sys.stdout.buffer.flush()
    for line in sys.stdin.buffer:
        try:
            request = msgspec.json.decode(line, type=Request)
            try_network(request.manifest, request.variant)
            answer = Answer()
        except (ClassifierError, ValueError, RuntimeError, MemoryError, OSError) as error:
            answer = Answer(error=str(error)[:500] or type(error).__name__)
        sys.stdout.buffer.write(msgspec.json.encode(answer) + b"\n")
        sys.stdout.buffer.flush()


def _limit() -> None:
    """No core dumps, no files written, no endless memory; where the system has no such limits, none."""
    try:
        import resource
    except ImportError:
        return
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_AS, (MAX_MEMORY_BYTES, MAX_MEMORY_BYTES))


if __name__ == "__main__":
    main()
