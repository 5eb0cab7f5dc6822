"""What is asked of a running player from the shell, against its own process and a real broker."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from click.shell_completion import ShellComplete

from daemon.cli import cli, main
from support.peers.real_broker import RealBroker
from support.running_product import MosquittoSub, Product
from support.waiting import PATIENCE_S, SCAN_PATIENCE_S, wait_until

pytestmark = [pytest.mark.broker, pytest.mark.timeout(400)]

RATE_HZ = 8000
TITLES = ("Amber", "Birch", "Coral")
PATIENT = ("--wait", f"{PATIENCE_S:g}")
NEUROPLAYER = (sys.executable, "-m", "daemon.cli")


@pytest.fixture
def music(tmp_path: Path) -> Path:
    """Three tracks of two minutes of noise."""
    folder = tmp_path / "music"
    folder.mkdir()
    rng = np.random.default_rng(1)
    for title in TITLES:
        soundfile.write(folder / f"{title}.wav", rng.uniform(-0.1, 0.1, 120 * RATE_HZ), RATE_HZ)
    return folder


@dataclass
class Shell:
    """A shell beside a player that plays."""

    where: tuple[str, ...]
    ear: MosquittoSub
    begun: int = 0
    """So many states were heard before the last command."""

    def ask(self, *words: str) -> tuple[int, str, str]:
        """Exit status, standard output and standard error of a command."""
        self.begun = len(self.ear.on("player/state"))
        command = [*NEUROPLAYER, *words, *self.where, *PATIENT]
        done = subprocess.run(command, capture_output=True, text=True, timeout=3 * PATIENCE_S, check=False)
        return done.returncode, done.stdout.rstrip("\n"), done.stderr.rstrip("\n")

    def does(self, *words: str) -> str:
        """The one line of a command that is obeyed."""
        status, told, complaint = self.ask(*words)
        assert (status, complaint) == (0, ""), complaint
        (line,) = told.splitlines()
        return line

    @property
    def state(self) -> dict[str, Any]:
        """The player's newest state, as an independent listener has it."""
        return self.ear.documents("player/state")[-1]

    def shows(self, condition: Callable[[dict[str, Any]], bool]) -> None:
        """The independent listener hears that it is so, in some state since the last command."""
        wait_until(
            lambda: any(map(condition, self.ear.documents("player/state")[self.begun :])),
            "the state shows it",
        )


@pytest.fixture
def measured(product: Product, music: Path) -> Path:
    """The same, and this machine knows what is in it. For tests that use it before the player does."""
    assert product.start("library", "scan", "--music", str(music)).wait(SCAN_PATIENCE_S) == 0
    return music


@pytest.fixture
def shell(product: Product, broker: RealBroker, ear: MosquittoSub, music: Path) -> Shell:
    """Beside a player whose music sounds."""
    where = ("--node", "t", "--broker", f"mqtt://127.0.0.1:{broker.port}")
    product.start("player", "--music", str(music), "--output", "null", *where)
    wait_until(lambda: any(said["track"] for said in ear.documents("player/state")), "music sounds")
    return Shell(where, ear)


def test_what_shows_in_the_state_is_done_and_told(shell: Shell) -> None:
    assert shell.does("volume", "0.25") == "Volume: 0.25"
    shell.shows(lambda state: state["volume"] == 0.25)
    assert shell.does("policy", "lead") == "Policy: lead"
    shell.shows(lambda state: state["policy"] == "lead")
    assert shell.does("target", "relax") == "Target: relax, policy lead"
    shell.shows(lambda state: state["target"] == "relax")
    assert shell.does("target", "-0.5,-0.25") == "Target: -0.5,-0.25, policy lead"
    shell.shows(lambda state: (state["target_valence"], state["target_arousal"]) == (-0.5, -0.25))
    assert shell.does("target", "any,0.5") == "Target: any,0.5, policy lead"
    shell.shows(lambda state: (state["target_valence"], state["target_arousal"]) == (None, 0.5))
    assert shell.does("target", "none") == "Target: none, policy lead"
    shell.shows(lambda state: state["target"] is None)
    assert shell.does("pause") == "Paused"
    shell.shows(lambda state: state["paused"])
    assert shell.does("pause") == "Paused", "twice is no toggle"
    assert shell.does("resume").startswith("Playing: ")
    shell.shows(lambda state: not state["paused"])


def test_tracks_are_changed_found_by_their_names_and_judged(measured: Path, shell: Shell) -> None:
    before = len(shell.ear.on("player/decision"))
    assert shell.does("skip").startswith("Now: ")
    wait_until(lambda: "skip" in [said["kind"] for said in shell.ear.documents("player/decision")[before:]])
    other = next(title for title in TITLES if title != shell.state["track"]["title"])
    assert other in shell.does("play", other.lower(), "--music", str(measured))
    shell.shows(lambda state: state["track"]["title"] == other)
    track_id = shell.state["track"]["id"]
    assert shell.does("play", track_id).startswith("Now: "), "an id is asked of the player alone"
    shell.shows(lambda state: state["track"]["id"] == track_id)
    assert shell.does("like").startswith("Liked: ")
    shell.shows(lambda state: state["track"]["liked"])
    assert shell.does("like", "--undo").startswith("No longer liked: ")
    shell.shows(lambda state: not state["track"]["liked"])
    sounded = shell.state["track"]["id"]
    assert shell.does("ban").startswith("Never again: ")
    shell.shows(lambda state: state["track"]["id"] != sounded)
    assert shell.does("ban", sounded, "--undo").startswith("Allowed again: ")
    assert shell.does("seek", "60").startswith("At 1:00 of ")
    shell.shows(lambda state: 60 <= state["position_s"] < 90)
    assert shell.does("say", "rest_end") == "Asked for the cue rest_end"
    assert [said["command"] for said in shell.ear.documents("cmd/error")] == []


def test_what_waits_for_paused_music_says_so(shell: Shell) -> None:
    shell.does("pause")
    assert shell.does("skip") == "Another track plays once the music goes on"
    sounding = shell.state["track"]["id"]
    shell.does("resume")
    shell.shows(lambda state: state["track"]["id"] != sounding)


def test_a_refusal_is_told_in_the_players_words(shell: Shell) -> None:
    for words, why in (
        (("target", "dance"), "target must be one of relax, focus"),
        (("play", "0123456789abcdef"), "the library has no track '0123456789abcdef'"),
        (("ban", "0123456789abcdef"), "the library has no track"),
    ):
        status, told, complaint = shell.ask(*words)
        assert (status, told) == (1, "")
        (line,) = complaint.splitlines()
        assert line.startswith(f"neuroplayer: the player refuses {words[0]}: ")
        assert why in line


def test_no_broker_is_one_line_and_status_1(product: Product, free_port: int) -> None:
    for words in (("skip",), ("volume", "1"), ("watch",)):
        asked = product.start(*words, "--broker", f"mqtt://127.0.0.1:{free_port}", "--wait", "1")
        assert asked.wait() == 1
        (line,) = asked.errors
        assert line.startswith(f"neuroplayer: no broker is reached at mqtt://127.0.0.1:{free_port}")
        assert asked.lines == []


def test_a_broker_with_no_player_of_the_node_is_one_line_and_status_1(
    product: Product, broker: RealBroker
) -> None:
    # long enough to reach the broker on a busy machine; a player is waited for as long again, in vain
    where = ("--node", "attic", "--broker", f"mqtt://127.0.0.1:{broker.port}")
    asked = product.start("pause", *where, "--wait", "12")
    assert asked.wait() == 1
    (line,) = asked.errors
    assert line.startswith("neuroplayer: no player of node 'attic' is at mqtt://127.0.0.1:")


def test_a_player_that_has_gone_is_not_there(
    product: Product, broker: RealBroker, ear: MosquittoSub, music: Path
) -> None:
    where = ("--node", "t", "--broker", f"mqtt://127.0.0.1:{broker.port}")
    player = product.start("player", "--music", str(music), "--output", "null", *where)
    wait_until(lambda: bool(ear.on("player/state")), "the player says its state")
    player.interrupt()
    assert player.wait() == 0
    wait_until(lambda: ear.on("player/availability")[-1].payload == "offline", "it is known to be gone")
    asked = product.start("skip", *where, *PATIENT)
    assert asked.wait() == 1
    (line,) = asked.errors
    assert "no player of node 't'" in line
    assert ear.on("cmd/skip") == [], "nothing is left for a player that comes later"


def test_the_broker_of_a_session_is_found_without_a_name(
    product: Product, monkeypatch: pytest.MonkeyPatch, free_port: int
) -> None:
    monkeypatch.setenv("NEUROPLAYER_EMBEDDED_BROKER", "1")
    running = product.start(
        *(
            "run",
            "--plain",
            "--no-web",
            "--source",
            "simulated",
            "--output",
            "null",
            "--node",
            f"n{free_port}",
        )
    )
    told = "music:    "
    wait_until(
        lambda: any(told in line and "nothing yet" not in line for line in list(running.lines)),
        "music sounds",
    )
    asked = product.start("volume", "0.5", "--node", f"n{free_port}", *PATIENT)
    assert asked.wait(3 * PATIENCE_S) == 0, asked.errors
    assert asked.lines == ["Volume: 0.5"]
    running.interrupt()
    assert running.wait() == 0


def test_watch_prints_what_is_said_until_ctrl_c(shell: Shell, product: Product) -> None:
    everything = product.start("watch", *shell.where, *PATIENT)
    states = product.start("watch", "player/state", *shell.where, *PATIENT)
    wait_until(lambda: everything.says('{"topic": "player/availability", "document": {"online": true}}'))
    shell.does("volume", "0.75")
    wait_until(lambda: everything.says('{"topic": "cmd/volume", "document": {"volume": 0.75}}'))
    wait_until(lambda: everything.says('"volume": 0.75, "crossfade_s"'), "the new state is printed")
    wait_until(lambda: states.says('"volume": 0.75, "crossfade_s"'), "the new state is printed alone")
    for watching in (everything, states):
        watching.interrupt()
        assert watching.wait() == 0
        assert watching.errors == []
    assert {line.split('"')[3] for line in states.lines} == {"player/state"}


def test_watch_prints_nothing_that_is_no_word(shell: Shell, product: Product, broker: RealBroker) -> None:
    watching = product.start("watch", "cmd", *shell.where, *PATIENT)
    say = ["mosquitto_pub", "-p", str(broker.port), "-t", "neuroplayer/t/cmd/label", "-m"]

    def heard(payload: str, line: str) -> bool:
        subprocess.run([*say, payload], check=True, timeout=PATIENCE_S)
        return watching.says(line)

    wait_until(lambda: heard('{"text":"\\u001b[31m"}', '"cmd/label", "document": {"text": " [31m"}'))
    wait_until(lambda: heard("[" * 100_000, '"cmd/label", "document": {}'))
    watching.interrupt()
    assert watching.wait() == 0


def test_a_closed_pipe_ends_watch_quietly(shell: Shell) -> None:
    command = [*NEUROPLAYER, "watch", *shell.where, *PATIENT]
    watching = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert watching.stdout is not None
    assert watching.stderr is not None
    try:
        assert watching.stdout.readline().startswith('{"topic": ')
        watching.stdout.close()
        assert watching.wait(PATIENCE_S) == 0
        assert watching.stderr.read() == ""
    finally:
        if watching.poll() is None:
            watching.send_signal(signal.SIGKILL)
            watching.wait(PATIENCE_S)
        watching.stderr.close()


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("target", "2,0"), "VALENCE,AROUSAL within -1..1"),
        (("target", "nan,0"), "VALENCE,AROUSAL within -1..1"),
        (("policy", "dance"), "'dance' is not one of 'match', 'lead'"),
        (("say", "hello"), "'hello' is not one of 'rest_begin'"),
        (("volume", "1.5"), "1.5 is not in the range 0<=x<=1"),
        (("volume", "nan"), "'nan' is no number"),
        (("seek", "-1"), "-1.0 is not in the range"),
        (("watch", "emotoin"), "topic must be one of headset, signal"),
        (("skip", "--node", "A B"), "--node must be"),
        (("play", "x" * 300, "--music", "/nowhere"), "/nowhere"),
    ],
)
def test_what_cannot_be_asked_is_one_line_and_status_2(
    capfd: pytest.CaptureFixture[str], words: tuple[str, ...], says: str
) -> None:
    assert main([*words, "--broker", "mqtt://127.0.0.1:1"]) == 2
    captured = capfd.readouterr()
    (line,) = captured.err.splitlines()
    assert line.startswith("neuroplayer: ")
    assert says in line
    assert captured.out == ""


@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        ("policy le", {"lead"}),
        ("target s", {"sleep"}),
        ("say headset", {"headset_lost", "headset_back"}),
        ("watch player/", {"player/state", "player/decision", "player/info", "player/availability"}),
    ],
)
def test_the_shell_completes_values(typed: str, offered: set[str]) -> None:
    *words, begun = typed.split(" ")
    items = ShellComplete(cli, {}, "neuroplayer", "_NEUROPLAYER_COMPLETE").get_completions(words, begun)
    assert {item.value for item in items} == offered
