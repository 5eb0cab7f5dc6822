"""From a stored file to a classifier: hash, trial in a child, golden vectors, and only then here."""

from __future__ import annotations

import importlib

from inference.model_store import Manifest
from inference.port import Classifier
from inference.vetting import Vetting


def load_network(manifest: Manifest, variant: str, vetted: set[str] | None = None) -> Classifier:
    """Load one file of a network; takes half a second, and at most five on a machine that
    is not busy. Raises ``ClassifierError``.

    The hash is checked before anything is parsed, a child runs the golden vectors and a spread of other
    inputs, and only then is the same file, hashed again, loaded into this process. ``vetted`` remembers the
    hashes of files that have passed, which need no second trial.
    """
    digest = manifest.files[variant].sha256 if variant in manifest.files else ""
    if vetted is None or digest not in vetted:
        with Vetting() as vetting:
            vetting.ask(manifest, variant)
            # while the child is busy, this process imports what it will need
            importlib.import_module("ai_edge_litert.interpreter")
            vetting.answer()
    from inference.litert_classifier import LiteRtClassifier

    classifier = LiteRtClassifier(manifest, variant)
    if vetted is not None:
        vetted.add(digest)
    return classifier
