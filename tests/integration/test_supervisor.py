"""The supervisor with real processes: restarts, Ctrl-C, kill -9, silent readers."""

import io
import os
import signal
import subprocess
import sys
import textwrap
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from app.embedded.processes import wait_until
from app.supervisor import Child, Output, Stopped, Supervisor

ROOT = Path(__file__).parents[2]
SLEEPER = "import time; print('here', flush=True); time.sleep(600)"
PARENT = "import subprocess, sys; subprocess.Popen([sys.executable, '-c', sys.argv[1]]).wait()"
DEAF = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); time.sleep(600)"


def python(program: str, *words: str) -> list[str]:
    return [sys.executable, "-c", program, *words]


class Stage:
    """A supervisor in a program of its own, with `children` given as Python source."""

    def __init__(self, children: str, grace: float = 25.0) -> None:
        program = textwrap.dedent(f"""
            import sys
            from app.supervisor import *
            output = Output(pretty=False)
            with Supervisor(output, grace={grace}) as supervisor:
                for child in [{children}]:
                    supervisor.add(child)
                supervisor.run()
            output.say("all ended")
            output.close()
        """)
        self.process = subprocess.Popen(
            python(program), stdout=subprocess.PIPE, text=True, cwd=ROOT, start_new_session=True
        )

    def heard(self, words: str) -> str:
        """Read until a line has `words`."""
        assert self.process.stdout
        for line in self.process.stdout:
            if words in line:
                return line
        raise AssertionError(f"ended without saying {words!r}")

    def rest(self) -> str:
        return self.process.communicate()[0]

    def below(self) -> list[psutil.Process]:
        return psutil.Process(self.process.pid).children(recursive=True)

    def running(self, program: str) -> list[psutil.Process]:
        return [process for process in self.below() if program in process.cmdline() and "hold" not in process.cmdline()]


@pytest.fixture
def stages() -> Iterator[Callable[..., Stage]]:
    made: list[Stage] = []

    def make(children: str, grace: float = 25.0) -> Stage:
        made.append(Stage(children, grace))
        return made[-1]

    yield make
    for stage in made:
        stage.process.kill()
        stage.process.wait()
        assert stage.process.stdout
        stage.process.stdout.close()


def child(name: str, program: str, *words: str, stage: int = 1) -> str:
    return f"Child({name!r}, {python(program, *words)!r}, stage={stage})"


def is_watcher(process: psutil.Process) -> bool:
    try:
        return "watch" in process.cmdline()
    except psutil.ZombieProcess:
        return False


def gone(processes: list[psutil.Process]) -> bool:
    return all(not p.is_running() or p.status() == psutil.STATUS_ZOMBIE for p in processes)


def test_a_killed_process_and_what_it_started_are_replaced(stages: Callable[..., Stage]) -> None:
    stage = stages(child("family", PARENT, SLEEPER))
    stage.heard("here")
    before = stage.running(SLEEPER)
    assert len(before) == 2
    os.kill(min(before, key=lambda process: process.create_time()).pid, signal.SIGKILL)
    assert "killed by SIGKILL" in stage.heard("family ended")
    stage.heard("here")
    assert gone(before)
    assert len(stage.running(SLEEPER)) == 2


def test_ctrl_c_ends_all_politely_the_higher_stage_first(stages: Callable[..., Stage]) -> None:
    says = "import signal, sys, time; signal.signal(signal.SIGTERM, lambda *_: sys.exit(print(sys.argv[1], 'ends')))"
    says += "; print('ready', flush=True); time.sleep(600)"
    stage = stages(child("stripe", says, "stripe", stage=0) + "," + child("worker", says, "worker"))
    stage.heard("ready")
    stage.heard("ready")
    os.killpg(stage.process.pid, signal.SIGINT)
    assert stage.rest().split("\n") == ["worker ends", "stripe ends", "all ended", ""]
    assert stage.process.returncode == 0


def test_what_does_not_end_within_the_grace_is_killed(stages: Callable[..., Stage]) -> None:
    stage = stages(child("deaf", DEAF), grace=0.3)
    stage.heard("deaf")
    below = stage.below()
    stage.process.terminate()
    assert "did not end in time" in stage.rest()
    assert stage.process.returncode == 0
    assert gone(below)


def test_a_killed_supervisor_leaves_nothing_behind(stages: Callable[..., Stage]) -> None:
    stage = stages(child("family", PARENT, DEAF))
    stage.heard("deaf")
    below = stage.below()
    stage.process.kill()
    assert wait_until(lambda: gone(below), 10)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a child that its parent died")
def test_on_linux_not_even_without_the_watcher(stages: Callable[..., Stage]) -> None:
    stage = stages(child("deaf", DEAF))
    stage.heard("deaf")
    below = stage.below()
    watcher = next(filter(is_watcher, below))
    watcher.suspend()
    stage.process.kill()
    assert wait_until(lambda: gone([process for process in below if process != watcher]), 10)
    watcher.kill()


def test_a_killed_watcher_is_replaced_and_knows_everything(stages: Callable[..., Stage]) -> None:
    stage = stages(child("family", PARENT, DEAF))
    stage.heard("deaf")
    first = next(filter(is_watcher, stage.below()))
    first.kill()
    assert wait_until(lambda: any(is_watcher(process) and process != first for process in stage.below()), 10)
    below = stage.below()
    stage.process.kill()
    assert wait_until(lambda: gone(below), 10)


def test_a_terminal_that_takes_nothing_holds_no_process_up(stages: Callable[..., Stage], tmp_path: Path) -> None:
    done = tmp_path / "done"
    chatter = "import sys, pathlib\nfor n in range(300_000): print('word ' * 8)\n"
    chatter += "pathlib.Path(sys.argv[1]).touch()\nimport time; time.sleep(600)"
    stages(child("chatter", chatter, str(done)))
    assert wait_until(done.exists, 60)


def test_a_program_that_cannot_be_started_says_so_and_is_tried_again(stages: Callable[..., Stage]) -> None:
    stage = stages("Child('missing', ['/no/such/program'])")
    stage.heard("/no/such/program cannot be run")
    stage.heard("starting it again in 0.2 s")
    stage.heard("starting it again in 0.4 s")


def test_work_goes_on_beside_the_processes_and_hands_back_what_it_finds() -> None:
    output = Output(io.StringIO(), pretty=False)
    with Supervisor(output) as supervisor:
        supervisor.add(Child("sleeper", python(SLEEPER)))
        assert supervisor.during(lambda: 42) == 42
        with pytest.raises(ZeroDivisionError):
            supervisor.during(lambda: 1 // 0)
        assert supervisor.pid("sleeper")
        assert supervisor.failures("sleeper") == 0
        never = threading.Event()
        supervisor.stop()
        with pytest.raises(Stopped):
            supervisor.during(never.wait)
    assert supervisor.pid("sleeper") is None
    output.close()


def test_for_a_person_lines_are_named_and_readable_and_for_a_program_untouched() -> None:
    line = '{"event": "charged", "case": 7, "level": "info", "timestamp": "2026-01-02T03:04:05Z", "process": "worker"}'
    for pretty, expected in ((True, "03:04:05 charged case=7"), (False, line)):
        stream = io.StringIO()
        output = Output(stream, pretty=pretty)
        output.line("worker", line)
        output.line("web", "[INFO] plain words")
        output.close()
        first, second, _ = stream.getvalue().split("\n")
        assert first.endswith(expected)
        assert second.endswith("[INFO] plain words")
        assert ("worker" in first.split(" ")[0]) is pretty


def test_quiet_only_warnings_and_what_cannot_be_told_are_shown_and_the_files_have_all(tmp_path: Path) -> None:
    said = [
        '{"event": "sent", "level": "info"}',
        "[INFO] Listening",
        "INFO rq.worker done",
        "",
        '{"event": "clock.round_failed", "level": "warning"}',
        "Traceback (most recent call last):",
        "[WARNING] respawning",
    ]
    stream = io.StringIO()
    output = Output(stream, pretty=False, logs=tmp_path / "logs", verbose=False)
    for line in said:
        output.line("worker", line)
    output.line("web", "[INFO] elsewhere")
    output.close()
    assert stream.getvalue().splitlines() == said[4:]
    assert (tmp_path / "logs" / "worker.log").read_text().splitlines() == said
    assert (tmp_path / "logs" / "web.log").read_text() == "[INFO] elsewhere\n"


def test_a_folder_that_takes_no_files_is_no_reason_to_stop(tmp_path: Path) -> None:
    (tmp_path / "logs").write_text("not a folder")
    stream = io.StringIO()
    output = Output(stream, pretty=False, logs=tmp_path / "logs")
    output.line("worker", "said all the same")
    output.close()
    assert stream.getvalue() == "said all the same\n"


def test_a_status_stays_on_the_last_line_until_it_is_taken_away() -> None:
    stream = io.StringIO()
    output = Output(stream, pretty=True)
    output.show("10%")
    output.say("first")
    output.show("")
    output.say("second")
    output.close()
    wiped = "\r\x1b[2K"
    assert stream.getvalue() == f"10%{wiped}first\n10%{wiped}second\n"


def test_a_program_that_reads_hears_no_status() -> None:
    stream = io.StringIO()
    output = Output(stream, pretty=False)
    output.show("10%")
    output.close()
    assert stream.getvalue() == ""


def test_lines_that_nobody_reads_are_counted() -> None:
    reader, writer = os.pipe()
    with os.fdopen(writer, "w") as stream:
        output = Output(stream, pretty=False, room=10)
        for _ in range(5):
            output.say("x" * 100_000)
        for number in range(100):
            output.say(f"line {number}")
        threading.Thread(target=lambda: [output.say("after")], daemon=True).start()
        received = b""
        while b"were dropped" not in received:
            received += os.read(reader, 1_000_000)
            output.say("more")
        output.close()
    os.close(reader)
