"""``neuroplayer models list|show|verify|evaluate`` as people and scripts meet them."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from daemon.cli import main
from models.files.folders import shipped

CHANNELS = ["Fp1", "Fp2", "T5", "T6", "C3"]


def people_file(path: Path, channels: list[str] = CHANNELS, rest_s: float = 120.0) -> Path:
    """Two people: alpha about 10 Hz at rest that the task takes away, each electrode its own mixture of what
    falls with frequency, as the gate for heads wants it.
    """
    rng = np.random.default_rng(6)
    arrays = {}
    for person in ("A", "B"):
        mixture = rng.normal(size=(len(channels), 6)) + 1.5
        for state, seconds, alpha in (("rest", rest_s, 1.2), ("arith", 45.0, 0.1)):
            n = round(seconds * 128)
            hz = np.fft.rfftfreq(n, 1 / 128)
            shape = 1 / np.sqrt(hz + 2) + alpha * np.exp(-((hz - 10) ** 2) / 2)
            wave = (
                12 * mixture @ np.fft.irfft(np.fft.rfft(rng.normal(size=(6, n)), axis=1) * shape, n, axis=1)
            )
            arrays[f"{person}_{state}"] = np.round(wave / 0.02).astype(np.int16)
    meta = {"channels": channels, "fs": 128, "scale_uV_per_lsb": 0.02}
    np.savez(path, __meta__=json.dumps(meta), **arrays)
    return path


def ask(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    try:
        status = main(["models", *words])
    except SystemExit as ended:
        status = int(ended.code or 0)
    captured = capsys.readouterr()
    return status, captured.out, captured.err


def test_list_and_show_answer_people_and_scripts(capsys: pytest.CaptureFixture[str]) -> None:
    status, out, _ = ask(capsys, "list", "--json")
    rows = {row["name"]: row for row in json.loads(out)}
    assert status == 0
    muse = rows["calm-engaged-muse4"]
    assert {"name", "montage", "channels", "files", "sha256", "card"} <= set(muse)
    assert muse["channels"] == ["Fp1", "Fp2", "P7", "P8"]
    status, out, _ = ask(capsys, "show", "calm-engaged-muse4")
    assert status == 0
    assert "chance 0.5" in out
    assert "control residue" in out
    assert "ODC Attribution License" in out


def test_evaluate_scores_any_people(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = people_file(tmp_path / "people.npz")
    status, out, _ = ask(capsys, "evaluate", "calm-engaged-muse4", str(data), "--json")
    document = json.loads(out)
    assert status == 0
    assert document["name"] == "calm-engaged-muse4"
    assert document["people"] == 2
    assert set(document["per_person"]) == {"A", "B"}
    for horizon in ("window", "10s", "30s"):
        assert document["recall"]["rest"][horizon] > (0.6 if horizon == "window" else 0.8)
        assert document["balanced_accuracy"][horizon] == pytest.approx(
            (document["recall"]["rest"][horizon] + document["recall"]["arith"][horizon]) / 2, abs=1e-3
        )
    status, out, _ = ask(capsys, "evaluate", "calm-engaged-muse4", str(data), "--baseline", "10")
    assert status == 0
    assert "10 s of rest as baseline" in out


def test_evaluate_needs_no_tensorflow(tmp_path: Path) -> None:
    data = people_file(tmp_path / "people.npz")
    code = (
        "import sys\nsys.modules['tensorflow'] = sys.modules['sklearn'] = None\n"
        "from daemon.cli import main\n"
        f"sys.exit(main(['models', 'evaluate', 'calm-engaged-muse4', {str(data)!r}, '--json']))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr.decode()
    assert json.loads(done.stdout)["people"] == 2


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("evaluate", "nobody", "{people}"), "no network named 'nobody'"),
        (("evaluate", "calm-engaged-full19", "{people}"), "calm-engaged-full19 needs the electrodes"),
        (("evaluate", "calm-engaged-muse4", "{missing}"), "missing.npz"),
        (("evaluate", "calm-engaged-muse4", "{people}", "--baseline", "2"), "baseline must be 0 or from 4"),
        (("evaluate", "calm-engaged-muse4", "{text}"), "text.npz"),
        (("show", "nobody"), "no network named 'nobody'"),
    ],
)
def test_bad_input_is_one_line_and_status_2(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], words: tuple[str, ...], said: str
) -> None:
    (tmp_path / "text.npz").write_text("no archive")
    places = {
        "people": people_file(tmp_path / "people.npz"),
        "missing": tmp_path / "missing.npz",
        "text": tmp_path / "text.npz",
    }
    status, out, err = ask(capsys, *(word.format(**places) for word in words))
    assert status == 2
    assert said in err
    assert out == ""
    assert len(err.strip().splitlines()) == 1


def test_verify_finds_a_changed_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert ask(capsys, "verify")[0] == 0
    own = tmp_path / "state" / "models" / "calm-engaged-muse4"
    shutil.copytree(shipped() / "calm-engaged-muse4", own)
    content = bytearray((own / "int8.tflite").read_bytes())
    content[100] ^= 1
    (own / "int8.tflite").write_bytes(bytes(content))
    monkeypatch.setenv("NEUROPLAYER_STATE_DIR", str(tmp_path / "state"))
    status, out, _ = ask(capsys, "verify", "calm-engaged-muse4", "--json")
    rows = {row["file"]: row for row in json.loads(out)}
    assert status == 1
    assert rows["float.tflite"]["ok"]
    assert "sha256" in rows["int8.tflite"]["problem"]


def test_a_person_who_cannot_be_read_is_named_and_does_not_stop_the_others(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = people_file(tmp_path / "people.npz")
    with np.load(data) as held:
        arrays = {key: held[key] for key in held.files}
    arrays["B_rest"] = np.zeros_like(arrays["B_rest"])
    np.savez(data, **arrays)
    status, out, _ = ask(capsys, "evaluate", "calm-engaged-muse4", str(data), "--json")
    document = json.loads(out)
    assert status == 0
    assert "B" in document["not_read"]
    assert document["per_person"]["B"]["10s"] is None
    assert document["balanced_accuracy"]["10s"] == document["per_person"]["A"]["10s"]


def test_several_networks_stand_in_one_table_and_report(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("matplotlib")
    channels = [*CHANNELS, "C4", "O1", "O2"]
    data, page = people_file(tmp_path / "people.npz", channels), tmp_path / "report.html"
    names = ("calm-engaged-muse4", "calm-engaged-cyton8")
    status, out, err = ask(
        capsys, "evaluate", names[0], str(data), "--compare", names[1], "--report", str(page)
    )
    assert status == 0, err
    assert [line.split("|")[1].strip() for line in out.splitlines() if line.startswith("| calm")] == [
        name for name in names for _ in range(3)
    ]
    assert names[1] in page.read_text("utf-8")
    assert page.with_suffix(".json").is_file()


def test_the_list_can_be_a_markdown_table(capsys: pytest.CaptureFixture[str]) -> None:
    status, out, _ = ask(capsys, "list", "--markdown")
    assert status == 0
    assert [line.split("|")[1].strip() for line in out.splitlines()[2:]] == [
        "`calm-engaged-cyton8`",
        "`calm-engaged-full19`",
        "`calm-engaged-muse4`",
    ]
