"""The LiteRT classifier: its answers, and every way in which a stored network is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from inference.networks.litert_classifier import LiteRtClassifier
from inference.networks.manifest import (
    map_channels,
    missing_channels,
    read_card,
    read_manifest,
    read_verified,
    require_channels,
)
from inference.networks.model_store import ModelStore
from inference.port import ClassifierError
from support.networks.network_copy import TINY, copy_tiny, tiny, with_content


@pytest.mark.parametrize("variant", ["float", "int8"])
def test_little_alpha_reads_engaged(variant: str) -> None:
    classifier = LiteRtClassifier(tiny(), variant)
    low_alpha, high_alpha = np.zeros((1, 10)), np.zeros((1, 10))
    low_alpha[0, [2, 7]], high_alpha[0, [2, 7]] = -2, 2
    low, high = classifier.predict(low_alpha), classifier.predict(high_alpha)
    assert low.sum() == pytest.approx(1)
    assert low[1] > 0.8
    assert high[1] < 0.2
    assert classifier.labels == ("calm", "engaged")
    assert classifier.model_id.sha256 == tiny().files[variant].sha256
    classifier.close()
    with pytest.raises(ClassifierError, match="closed"):
        classifier.predict(low_alpha)


def test_int8_agrees_with_float() -> None:
    whole, small = LiteRtClassifier(tiny(), "float"), LiteRtClassifier(tiny(), "int8")
    rng = np.random.default_rng(0)
    answers = [
        (whole.predict(z)[1], small.predict(z)[1]) for z in np.clip(rng.normal(size=(300, 1, 10)), -4, 4)
    ]
    agree = np.mean([(a > 0.5) == (b > 0.5) for a, b in answers])
    assert agree > 0.97


def test_features_of_another_shape_are_refused() -> None:
    with pytest.raises(ClassifierError, match=r"tiny: wants features \(1, 10\), got \(2, 10\)"):
        LiteRtClassifier(tiny()).predict(np.zeros((2, 10)))


def test_a_changed_file_is_not_parsed(tmp_path: Path) -> None:
    manifest = copy_tiny(tmp_path)
    file = tmp_path / "tiny_float.tflite"
    file.write_bytes(file.read_bytes() + b"\0")
    with pytest.raises(ClassifierError, match=r"sha256 is [0-9a-f]{64}, the manifest says .*; not loaded"):
        LiteRtClassifier(manifest)


@pytest.mark.parametrize("path", ["../tiny_float.tflite", "/etc/passwd", "a/b.tflite"])
def test_a_file_outside_the_folder_is_refused(tmp_path: Path, path: str) -> None:
    entry = {"path": path, "sha256": "0" * 64, "bytes": 1}
    with pytest.raises(ClassifierError, match="must be a bare name"):
        read_verified(copy_tiny(tmp_path, files={"float": entry}), "float")


def test_a_missing_file_or_variant_is_named(tmp_path: Path) -> None:
    manifest = copy_tiny(tmp_path)
    (tmp_path / "tiny_float.tflite").unlink()
    with pytest.raises(ClassifierError, match=r"tiny_float\.tflite: No such file"):
        read_verified(manifest, "float")
    with pytest.raises(ClassifierError, match="tiny: no 'float16' file: one of float, int8"):
        read_verified(manifest, "float16")


def test_a_text_file_with_the_right_hash_is_refused_in_words(tmp_path: Path) -> None:
    with pytest.raises(ClassifierError, match="tiny: LiteRT refuses the file"):
        LiteRtClassifier(with_content(tmp_path, "float", b"no network at all" * 40))


def test_swapped_files_fail_their_golden_vectors(tmp_path: Path) -> None:
    """The int8 file under the float name has its hash, but not its answers to float inputs."""
    manifest = with_content(tmp_path, "float", (TINY / "tiny_int8.tflite").read_bytes())
    with pytest.raises(ClassifierError, match="golden vectors differ"):
        LiteRtClassifier(manifest)


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"labels": ["calm", "calm"]}, "two or more different"),
        ({"labels": ["calm", "purple"]}, "labels must be of calm, engaged"),
        ({"labels": ["calm", "neutral", "engaged"]}, None),
        ({"format": 2}, "format must be 1, got 2"),
        ({"channels": ["TP9", "TP9"]}, "different names"),
        ({"feature_schema": "de6"}, "unknown feature schema 'de6'"),
        ({"temperature": 0.0}, "temperature must be"),
        ({"rate_hz": 64.0}, "rate_hz must be 100-1000"),
        ({"hop_s": 3.0}, "0 < hop_s <= window_s"),
        ({"sequence_length": 0}, "sequence_length must be"),
        ({"population_scale": [1.0]}, "population_scale needs 10, has 1"),
        ({"surprise": 1}, "unknown field `surprise`"),
        ({"name": 7}, r"Expected `str`, got `int` - at `\$.name`"),
    ],
)
def test_a_wrong_manifest_is_refused_by_its_field(
    tmp_path: Path, changes: dict[str, Any], rule: str | None
) -> None:
    if rule is None:  # a fine manifest, but the file has two outputs
        with pytest.raises(ClassifierError, match=r"the manifest has 3 labels, the file gives \[1, 2\]"):
            LiteRtClassifier(copy_tiny(tmp_path, **changes))
        return
    with pytest.raises(ClassifierError, match=rule):
        copy_tiny(tmp_path, **changes)


def test_a_network_without_golden_vectors_is_refused(tmp_path: Path) -> None:
    golden = {"inputs": [], "outputs": {}, "tolerance": {}}
    with pytest.raises(ClassifierError, match="0 golden inputs"):
        LiteRtClassifier(copy_tiny(tmp_path, golden=golden))


def test_another_sequence_length_does_not_fit_the_file(tmp_path: Path) -> None:
    with pytest.raises(ClassifierError, match=r"the manifest says input \[1, 4, 10\], the file has"):
        LiteRtClassifier(copy_tiny(tmp_path, sequence_length=4))


def test_a_huge_or_garbled_manifest_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "manifest.json"
    path.write_bytes(b"[" * 2_000_000)
    with pytest.raises(ClassifierError, match="at most 1000000 bytes"):
        read_manifest(path)
    path.write_bytes(b'{"format": 1')
    with pytest.raises(ClassifierError, match="truncated"):
        read_manifest(path)


@pytest.mark.parametrize(
    ("channels", "expected"),
    [
        (("TP9", "AF7", "AF8", "TP10"), ("TP9", "AF7", "AF8", "TP10")),
        (("TP10", "AF8", "AF7", "TP9", "Fz"), ("TP9", "AF7", "AF8", "TP10")),
        (("Fp1", "Fp2", "T3", "T4"), ("T3", "Fp1", "Fp2", "T4")),
        (("Fp1", "Fp2", "P7", "P8"), ("P7", "Fp1", "Fp2", "P8")),
        (("AF7", "AF8", "TP9"), None),
    ],
)
def test_electrodes_are_found_by_name_place_or_declared_substitute(
    channels: tuple[str, ...], expected: tuple[str, ...] | None
) -> None:
    assert map_channels(tiny(), channels) == expected


def test_a_montage_that_lacks_electrodes_is_refused_by_their_names() -> None:
    channels = ("Cz", "AF7", "AF8")
    assert missing_channels(tiny(), channels) == ("TP9", "TP10")
    with pytest.raises(
        ClassifierError,
        match=r"tiny was trained for TP9, AF7, AF8, TP10; the headset has Cz, AF7, AF8: "
        r"TP9 \(or T7, P7\), TP10 \(or T8, P8\) missing",
    ):
        require_channels(tiny(), channels)


def test_one_broken_network_does_not_hide_the_others(tmp_path: Path) -> None:
    copy_tiny(tmp_path / "good")
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad" / "manifest.json").write_text("{")
    store = ModelStore((tmp_path,))
    assert [manifest.name for manifest in store.list()] == ["tiny"]
    (problem,) = store.problems()
    assert "bad/manifest.json" in problem
    with pytest.raises(ClassifierError, match="no network named 'huge': one of tiny"):
        store.get("huge")


def test_a_selected_network_wins_where_it_fits(tmp_path: Path) -> None:
    copy_tiny(tmp_path / "a", name="a")
    copy_tiny(tmp_path / "b", name="b")
    store = ModelStore((tmp_path,))
    channels = ("TP9", "AF7", "AF8", "TP10")
    before = store.signature()
    store.select("b")
    assert store.signature() != before
    chosen = store.choose_for(channels)
    assert chosen is not None
    assert chosen.name == "b"
    assert store.choose_for(("Cz",)) is None
    with pytest.raises(ClassifierError, match="no network named 'c'"):
        store.select("c")
    store.select(None)
    assert store.selected() is None


@pytest.mark.parametrize(
    ("card", "content", "words"),
    [
        ("../card.json", "{}", "must be a bare name"),
        ("card.json", "[" * 100_000, "cannot be read"),
        ("card.json", "[]", "must be one object"),
        ("card.json", " " * 1_000_001, "at most 1000000 bytes"),
        ("none.json", "{}", "cannot be read"),
    ],
)
def test_a_card_is_one_bounded_object_beside_its_manifest(
    card: str, content: str, words: str, tmp_path: Path
) -> None:
    manifest = copy_tiny(tmp_path / "tiny", card=card)
    (tmp_path / "tiny" / "card.json").write_text(content)
    with pytest.raises(ClassifierError, match=words):
        read_card(manifest)
