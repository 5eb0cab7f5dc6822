"""From a stored file to a classifier: hash, trial in a child, golden vectors, and only then here."""

from __future__ import annotations

import importlib

from inference.model_store import Manifest
from inference.port import Classifier
from inference.vetting import Vetting

DEFAULT_VARIANT = "int8"
"""The full-int8 file is the smaller and faster one; its card holds the agreement with the float file."""


def variant_of(manifest: Manifest, wanted: str = DEFAULT_VARIANT) -> str:
    """The wanted file where the network has it, else the first it has."""
    return wanted if wanted in manifest.files else next(iter(manifest.files), wanted)


def load_network(
    manifest: Manifest, variant: str | None = None, vetting: Vetting | None = None
) -> Classifier:
    """Load one file of a network; takes half a second, and at most five. Raises ``ClassifierError``.

    The hash is checked before anything is parsed, the child runs the golden vectors and a spread of other
    inputs, and only then is the same file, hashed again, loaded into this process.
    """
    if vetting is None:
        with Vetting() as own:
            return load_network(manifest, variant, own)
    chosen = variant or variant_of(manifest)
    vetting.ask(manifest, chosen)
    # while the child is busy, this process imports what it will need
    importlib.import_module("ai_edge_litert.interpreter")
    vetting.answer()
    from inference.litert_classifier import LiteRtClassifier

    return LiteRtClassifier(manifest, chosen)
