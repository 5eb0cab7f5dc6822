"""Every board BrainFlow knows. The one file that imports ``brainflow``."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from acquisition.montage import canonical
from acquisition.port import MAX_POLL_S, AbsentError, MissingPartError, SourceError, UnknownSourceError
from acquisition.signal import EegChunk, StreamInfo

POLL_EVERY_S = 0.02
RING_SAMPLES = 45_000
TEXT_OPTIONS = ("serial_port", "mac_address", "ip_address", "other_info", "serial_number", "file")
NUMBER_OPTIONS = ("ip_port", "ip_protocol", "timeout", "master_board")
OWN_OPTIONS = ("channels", "loop")
SAMPLE_COUNTERS = {"SYNTHETIC_BOARD": 256, "CYTON_BOARD": 256, "CYTON_WIFI_BOARD": 256}
"""Boards whose package number counts single samples, and where it wraps; others count packets of several."""
SYNTHETIC_BOARD = -1
"""BrainFlow's own made-up signal: no person is behind it."""
ABSENT = {2, 7, 17}
"""BrainFlow's exit codes where a port or board is not there: unable to open, not ready, general."""
INVALID_ARGUMENTS = 13
EXTRA_ROWS = (
    ("accel_channels", "accel"),
    ("gyro_channels", "gyro"),
    ("magnetometer_channels", "mag"),
    ("analog_channels", "analog"),
    ("other_channels", "aux"),
    ("ppg_channels", "ppg"),
    ("temperature_channels", "temperature"),
    ("resistance_channels", "resistance"),
)
"""BrainFlow's groups of rows beside the EEG and what they are called here."""


@dataclass(frozen=True, slots=True)
class BoardRows:
    """Where in BrainFlow's array things stand."""

    eeg: tuple[int, ...]
    timestamp: int
    battery: int | None
    counter: int | None
    extras: tuple[int, ...]
    beside: tuple[tuple[int, tuple[int, ...]], ...] = ()
    """Rows that come at a rate of their own (a Muse's gyroscope): (preset, rows)."""


def board_number(name: str) -> int:
    """The number of a board given by name (``MUSE_2_BOARD``, ``muse_2``) or number.

    Raises ``UnknownSourceError`` with near names.
    """
    load_brainflow()
    from brainflow.board_shim import BoardIds

    names = {board.name: int(board.value) for board in BoardIds if board.name != "NO_BOARD"}
    if name.lstrip("-").isdigit():
        if int(name) in names.values():
            return int(name)
        raise UnknownSourceError(f"source: BrainFlow has no board number {name}")
    wanted = name.upper().replace("-", "_")
    for option in (wanted, f"{wanted}_BOARD"):
        if option in names:
            return names[option]
    import difflib

    near = difflib.get_close_matches(wanted, names, n=3, cutoff=0.4)
    hint = f"; did you mean {', '.join(near)}?" if near else ""
    raise UnknownSourceError(f"source: BrainFlow has no board {name!r}{hint}")


class BrainFlowSource:
    """One board. ``options`` are BrainFlow's input parameters, and ``channels=Fp1;Fp2;..`` to name rows."""

    def __init__(
        self,
        board: str,
        options: Mapping[str, str] | None = None,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._name, self._options = board, dict(options or {})
        self._clock, self._sleep = clock, sleep
        self._board: Any = None
        self._rows: BoardRows | None = None
        self._held: dict[int, Any] = {}

    def check(self) -> None:
        """Raise ``UnknownSourceError`` for what cannot be, without touching the board."""
        load_brainflow()
        from brainflow.board_shim import BoardShim
        from brainflow.exit_codes import BrainFlowError

        BoardShim.disable_board_logger()
        number, parameters = board_number(self._name), self._parameters()
        try:
            about = BoardShim.get_board_descr(int(parameters.master_board) if number < -1 else number)
        except BrainFlowError as error:
            raise UnknownSourceError(
                f"source: {self._name} needs master_board=BOARD, the board that was recorded or is streamed"
            ) from error
        if not about.get("eeg_channels"):
            raise UnknownSourceError(f"source: BrainFlow board {self._name} has no EEG channels")

    def open(self) -> StreamInfo:
        """Prepare and start the board. Raises ``SourceError``."""
        load_brainflow()
        from brainflow.board_shim import BoardShim
        from brainflow.exit_codes import BrainFlowError

        BoardShim.disable_board_logger()
        number = board_number(self._name)
        parameters = self._parameters()
        described = int(parameters.master_board) if number < -1 else number
        try:
            board = BoardShim(number, parameters)
            board.prepare_session()
            self._board = board
            board.start_stream(RING_SAMPLES)
            if self._options.get("loop", "").lower() in {"1", "true", "yes"}:
                board.config_board("loopback_true")
            return self._describe(BoardShim, described)
        except BrainFlowError as error:
            self.close()
            if error.exit_code == INVALID_ARGUMENTS:
                given = ", ".join(f"{key}={value}" for key, value in self._options.items()) or "none"
                raise UnknownSourceError(
                    f"source: BrainFlow board {self._name} cannot do with these options ({given}): "
                    "a dongle wants serial_port=, Bluetooth mac_address= or serial_number=, "
                    "Wi-Fi ip_address= and ip_port="
                ) from error
            kind = AbsentError if error.exit_code in ABSENT else SourceError
            raise kind(f"source: BrainFlow board {self._name}: {error}") from error

    def poll(self, timeout_s: float) -> EegChunk | None:
        """What came since the last poll. Raises ``SourceError`` when the board is gone."""
        from brainflow.exit_codes import BrainFlowError

        if self._board is None or self._rows is None:
            return None
        try:
            data = self._board.get_board_data()
            if data.shape[1] == 0:
                self._sleep(min(timeout_s, POLL_EVERY_S, MAX_POLL_S))
                data = self._board.get_board_data()
        except BrainFlowError as error:
            raise SourceError(f"source: BrainFlow board {self._name}: {error}") from error
        if data.shape[1] == 0:
            return None
        rows = self._rows
        battery = float(data[rows.battery, -1]) if rows.battery is not None else None
        return EegChunk(
            np.ascontiguousarray(data[list(rows.eeg)]),
            data[rows.timestamp].copy(),
            battery if battery is None or 0 <= battery <= 100 else None,
            None if rows.counter is None else data[rows.counter].copy(),
            self._extras(data) if rows.extras or rows.beside else None,
        )

    def _extras(self, data: Any) -> Any:
        """All other rows at the rate of the EEG; slower ones are held at their newest value."""
        rows = self._rows
        assert rows is not None  # noqa: S101 - poll looked
        parts = [np.ascontiguousarray(data[list(rows.extras)])] if rows.extras else []
        for preset, beside in rows.beside:
            slower = self._board.get_board_data(preset=preset)
            if slower.shape[1]:
                self._held[preset] = slower[list(beside), -1]
            held = self._held.get(preset, np.full(len(beside), np.nan))
            parts.append(np.repeat(held[:, np.newaxis], data.shape[1], axis=1))
        return np.concatenate(parts)

    def command(self, text: str) -> None:
        """Send a command of the board's own firmware. Raises ``SourceError``."""
        from brainflow.exit_codes import BrainFlowError

        if self._board is None:
            raise SourceError(f"source: BrainFlow board {self._name} is not open")
        try:
            self._board.config_board(text)
        except BrainFlowError as error:
            raise SourceError(f"source: BrainFlow board {self._name} refuses {text!r}: {error}") from error

    def close(self) -> None:
        """Stop and release; what a dead link raises on the way out is of no use to anyone."""
        board, self._board = self._board, None
        if board is None:
            return
        from brainflow.exit_codes import BrainFlowError

        for step in (board.stop_stream, board.release_session):
            try:
                step()
            except BrainFlowError:
                continue
        del board

    def _parameters(self) -> Any:
        from brainflow.board_shim import BrainFlowInputParams

        known = (*TEXT_OPTIONS, *NUMBER_OPTIONS, *OWN_OPTIONS)
        parameters = BrainFlowInputParams()
        for key, value in self._options.items():
            if key not in known:
                raise UnknownSourceError(
                    f"source: unknown BrainFlow option {key!r}: one of {', '.join(known)}"
                )
            if key == "master_board":
                parameters.master_board = board_number(value)
            elif key in NUMBER_OPTIONS:
                if not value.lstrip("-").isdigit():
                    raise UnknownSourceError(
                        f"source: BrainFlow option {key} must be a number, got {value!r}"
                    )
                setattr(parameters, key, int(value))
            elif key in TEXT_OPTIONS:
                setattr(parameters, key, value)
        if parameters.file and not Path(parameters.file).is_file():
            raise UnknownSourceError(f"source: {parameters.file}: no such file")
        return parameters

    def _describe(self, shim: Any, board_id: int) -> StreamInfo:
        description = shim.get_board_descr(board_id)
        if not description.get("eeg_channels"):
            raise UnknownSourceError(f"source: BrainFlow board {self._name} has no EEG channels")
        eeg = tuple(int(row) for row in description["eeg_channels"])
        names = str(description.get("eeg_names", "")).split(",") if description.get("eeg_names") else []
        if "channels" in self._options:
            names = self._options["channels"].split(";")
        if not names:
            names = [f"ch{i + 1}" for i in range(len(eeg))]
        if len(names) != len(eeg):
            raise UnknownSourceError(
                f"source: board {self._name} has {len(eeg)} EEG channels, got {len(names)} names"
            )
        battery, package = description.get("battery_channel"), description.get("package_num_channel")
        modulo = self._modulo(board_id, live=board_id == board_number(self._name))
        extras = _extra_rows(description)
        names_beside, beside = _rows_beside(shim, board_id, extras)
        self._rows = BoardRows(
            eeg,
            int(description["timestamp_channel"]),
            None if battery is None else int(battery),
            None if package is None or modulo is None else int(package),
            tuple(extras.values()),
            beside,
        )
        return StreamInfo(
            f"brainflow:{self._name}",
            str(description.get("name", self._name)),
            tuple(canonical(name) for name in names),
            float(description["sampling_rate"]),
            simulated=board_number(self._name) == SYNTHETIC_BOARD,
            identity=f"{self._name}:{self._options.get('serial_number', '')}"
            f"{self._options.get('mac_address', '')}{self._options.get('serial_port', '')}",
            extras=(*extras, *names_beside),
            counter_modulo=modulo,
        )

    @staticmethod
    def _modulo(board_id: int, *, live: bool) -> int | None:
        """Where the board's sample counter wraps; a recording that loops would seem to lose samples."""
        from brainflow.board_shim import BoardIds

        return SAMPLE_COUNTERS.get(BoardIds(board_id).name) if live else None


def describe_boards() -> list[tuple[str, int, float, tuple[str, ...], tuple[str, ...], bool]]:
    """Source, number, rate, channel names, other rows and whether there is a battery, of each EEG board."""
    load_brainflow()
    from brainflow.board_shim import BoardIds, BoardShim
    from brainflow.exit_codes import BrainFlowError

    BoardShim.disable_board_logger()
    rows = []
    for board in BoardIds:
        try:
            about = BoardShim.get_board_descr(int(board.value))
        except BrainFlowError:
            continue
        count = len(about.get("eeg_channels") or ())
        if not count:
            continue
        names = str(about.get("eeg_names") or "").split(",")
        if len(names) != count:
            names = [f"ch{i + 1}" for i in range(count)]
        channels = tuple(canonical(name) for name in names)
        rate_hz, battery = float(about["sampling_rate"]), "battery_channel" in about
        main = _extra_rows(about)
        extras = (*main, *_rows_beside(BoardShim, int(board.value), main)[0])
        rows.append((f"brainflow:{board.name}", int(board.value), rate_hz, channels, extras, battery))
    return rows


def load_brainflow() -> None:
    """Import BrainFlow and load its library. Raises ``MissingPartError``.

    On Python 3.11 its first call warns of pkg_resources; that is for its makers, not for users.
    """
    warnings.filterwarnings("ignore", message="pkg_resources is deprecated")
    warnings.filterwarnings("ignore", message="Deprecated call to `pkg_resources")
    try:
        from brainflow.board_shim import BoardControllerDLL

        BoardControllerDLL.get_instance()
    except (ImportError, OSError, AttributeError) as error:
        raise MissingPartError(
            "BrainFlow's library is missing, so no board is read", "install the package brainflow anew"
        ) from error


def _rows_beside(
    shim: Any, board_id: int, known: Mapping[str, int]
) -> tuple[list[str], tuple[tuple[int, tuple[int, ...]], ...]]:
    """What comes in BrainFlow's other presets and not with the EEG: names, and (preset, rows)."""
    names: list[str] = []
    beside: list[tuple[int, tuple[int, ...]]] = []
    for preset in sorted(int(preset) for preset in shim.get_board_presets(board_id)):
        if preset == 0:
            continue
        about = shim.get_board_descr(board_id, preset)
        rows = {
            name: row
            for name, row in _extra_rows({**about, "eeg_channels": ()}).items()
            if name not in known and name not in names and name != "package"
        }
        if rows:
            names += rows
            beside.append((preset, tuple(rows.values())))
    return names, tuple(beside)


def _extra_rows(description: Mapping[str, Any]) -> dict[str, int]:
    """Names and rows of everything else the board measures; the package number is among them."""
    taken = {int(row) for row in description["eeg_channels"]}
    rows: dict[str, int] = {}
    if description.get("package_num_channel") is not None:
        rows["package"] = int(description["package_num_channel"])
    for key, name in EXTRA_ROWS:
        found = [int(row) for row in description.get(key) or () if int(row) not in taken]
        axes = "xyz" if name in ("accel", "gyro", "mag") and len(found) == 3 else range(1, len(found) + 1)
        rows |= {f"{name}_{axis}": row for axis, row in zip(axes, found, strict=False)}
    return rows
