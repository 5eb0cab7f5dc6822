"""Time and memory of 100 epochs of each architecture on eegmat, and the quantised files of each.

``python bench/models/training_cost.py ../shared/eeg/eegmat/eegmat_128hz_int16.npz [ARCHITECTURE ...]`` writes
``bench/results/models_training_cost.json`` and ``.md``. Each architecture is trained in a process of its own,
all epochs (no early stop), on two threads; rows of architectures that are not named stay.
"""

from __future__ import annotations

import json
import os
import platform
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
RESULT = ROOT / "bench" / "results" / "models_training_cost"
EPOCHS = 100
FOUR = ("Fp1", "Fp2", "P7", "P8")


def one(architecture: str, data: str, folder: Path) -> dict[str, object]:
    """Train, measure, quantise."""
    from models.conversion.quantization import quantize
    from models.datasets import ExampleSettings, build_examples, open_dataset
    from models.emotion_recognition_model import EmotionRecognitionModel

    began = time.perf_counter()
    examples = ExampleSettings(kind="raw" if architecture == "eegnet" else "features")
    made = build_examples(open_dataset(data, FOUR), examples)
    read_s = time.perf_counter() - began
    heads = made.heads(("emotion",))
    model = EmotionRecognitionModel(
        made.input_shape, heads=heads, layout=made.layout, model_name=architecture
    )
    model.build_model(architecture)
    began, cpu = time.perf_counter(), time.process_time()
    history = model.train(
        made.X,
        made.y["emotion"],
        epochs=EPOCHS,
        batch_size=32,
        groups=made.groups,
        patience=EPOCHS,
        progress=False,
        checkpoint_dir=folder,
    )
    train_s, cpu_s = time.perf_counter() - began, time.process_time() - cpu
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    files = quantize(model.network, made.X, folder, architecture)
    return {
        "architecture": architecture,
        "examples": len(made.X),
        "parameters": model.config()["parameters"],
        "macs": model.config()["macs"],
        "reading_s": round(read_s, 1),
        "epochs": len(history["loss"]),
        "training_s": round(train_s, 1),
        "training_cpu_s": round(cpu_s, 1),
        "peak_memory_mb": round(peak_mb),
        "best_val_balanced_accuracy_one_window": max(history["val_balanced_accuracy"]),
        "files": [file.as_json() | {"path": Path(file.path).name} for file in files],
    }


def markdown(rows: list[dict[str, Any]], machine: dict[str, object]) -> str:
    """The tables of the result."""
    about = "100 epochs on eegmat, 4 electrodes, 2 s windows, batch 32;"
    seen = f"{machine['cpu']} cores shared with other programs (load: load average at the end of the row)"
    lines = ["# What training costs", "", f"{about} {seen}. CPU minutes do not depend on the load.", ""]
    lines += ["| architecture | parameters | MACs | examples | minutes | load | CPU minutes | peak MB |"]
    lines += ["|---|---|---|---|---|---|---|---|"]
    for r in rows:
        times = f"{r['training_s'] / 60:.1f} | {r['load']:g} | {r['training_cpu_s'] / 60:.1f}"
        sizes = f"{r['parameters']} | {r['macs']} | {r['examples']}"
        lines.append(f"| {r['architecture']} | {sizes} | {times} | {r['peak_memory_mb']} |")
    lines += ["", "| architecture | file | KiB | same label | largest difference | ms p50 |"]
    lines += ["|---|---|---|---|---|---|"]
    for r in rows:
        for f in r["files"]:
            agreement = f"{f['agreement']:.1%} | {f['max_error']:.4f} | {f['p50_ms']:.3f}"
            lines.append(f"| {r['architecture']} | {f['variant']} | {f['bytes'] / 1024:.1f} | {agreement} |")
    return "\n".join(lines) + "\n"


def stored_rows() -> list[dict[str, Any]]:
    """Rows measured before, to stand beside the new ones."""
    path = RESULT.with_suffix(".json")
    rows: list[dict[str, Any]] = json.loads(path.read_text())["rows"] if path.exists() else []
    return rows


def main(arguments: list[str]) -> None:
    """One process an architecture; results are written after each, beside those of the others."""
    if arguments[0] == "--one":
        with tempfile.TemporaryDirectory() as folder:
            print(json.dumps(one(arguments[1], arguments[2], Path(folder))))
        return
    data, wanted = arguments[0], arguments[1:] or ["cnn", "dense", "cnn_bilstm", "bilstm", "eegnet"]
    environment = os.environ | {"TF_NUM_INTRAOP_THREADS": "2", "TF_NUM_INTEROP_THREADS": "1"}
    rows = stored_rows()
    for architecture in wanted:
        command = [sys.executable, __file__, "--one", architecture, data]
        done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
        row = json.loads(done.stdout.strip().splitlines()[-1]) | {"load": round(os.getloadavg()[0], 1)}
        rows = [other for other in rows if other["architecture"] != architecture] + [row]
        machine = {"cpu": os.cpu_count(), "python": platform.python_version()}
        RESULT.with_suffix(".json").write_text(
            json.dumps({"machine": machine, "rows": rows}, indent=1) + "\n"
        )
        RESULT.with_suffix(".md").write_text(markdown(rows, machine))


if __name__ == "__main__":
    main(sys.argv[1:])
