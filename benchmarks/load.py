"""A load generator that costs little beside what it measures: ready-made requests, raw keep-alive sockets, one process.

Knows HTTP as far as granian speaks it: a status line and a `content-length`. It costs 0.05 ms of CPU a request, where
a usual client costs ten times as much and then measures itself.
"""

import selectors
import socket
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from multiprocessing import get_context

from benchmarks import cpu

ANSWER_WITHIN = 30.0  # seconds


@dataclass(frozen=True)
class Shot:
    """One request, ready to be written, and the name by which its acknowledgement is remembered."""

    name: str
    request: bytes


@dataclass
class Result:
    """What was acknowledged with 200; in seconds each answer, the whole run, CPU of this client and of the machine."""

    acknowledged: list[str] = field(default_factory=list)
    took: list[float] = field(default_factory=list)
    refused: int = 0
    elapsed: float = 0.0
    client_cpu: float = 0.0
    machine_cpu: float = 0.0


@dataclass
class _Line:
    """One connection, and what is being asked on it."""

    socket: socket.socket
    shot: Shot | None = None
    due: float = 0.0
    heard: bytes = b""


def post(path: str, body: bytes, signature: str) -> bytes:
    """The bytes of a signed POST."""
    head = f"POST {path} HTTP/1.1\r\nHost: bench\r\nContent-Type: application/json\r\nStripe-Signature: {signature}\r\n"
    return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body


def fire(port: int, shots: Sequence[Shot], connections: int, rate: float | None = None) -> Result:
    """Send all shots in a process of their own.

    Without a `rate` every connection sends as fast as it is answered. With one (requests a second) shots are due at a
    steady pace whether or not earlier ones were answered, and their time counts from when they were due.
    """
    with get_context("spawn").Pool(1) as pool:
        return pool.apply(_fire, (port, shots, connections, rate))


def _fire(port: int, shots: Sequence[Shot], connections: int, rate: float | None) -> Result:
    with selectors.DefaultSelector() as selector:
        lines = [_Line(socket.create_connection(("127.0.0.1", port))) for _ in range(connections)]
        for line in lines:
            line.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            selector.register(line.socket, selectors.EVENT_READ, line)
        result = Result()
        begin, client, machine = time.perf_counter(), time.process_time(), cpu.machine()
        _run(selector, lines, shots, _schedule(begin, rate), result)
        result.elapsed = time.perf_counter() - begin
        result.client_cpu, result.machine_cpu = time.process_time() - client, cpu.machine() - machine
        for line in lines:
            line.socket.close()
    return result


def _schedule(begin: float, rate: float | None) -> Callable[[int], float | None]:
    """When shot number n is due; None is as soon as a line is free."""
    return lambda number: None if rate is None else begin + number / rate


def _run(
    selector: selectors.BaseSelector,
    free: list[_Line],
    shots: Sequence[Shot],
    due_at: Callable[[int], float | None],
    result: Result,
) -> None:
    free, sent = list(free), 0
    while len(result.took) < len(shots):
        wait = ANSWER_WITHIN
        while free and sent < len(shots):
            now = time.perf_counter()
            due = due_at(sent) or now
            if due > now:
                wait = due - now
                break
            _send(free.pop(), shots[sent], due)
            sent += 1
        heard = selector.select(wait)
        if not heard and wait == ANSWER_WITHIN:
            raise SystemExit("the web process has stopped answering")
        free += [key.data for key, _ in heard if _answered(key.data, result)]


def _send(line: _Line, shot: Shot, due: float) -> None:
    line.shot, line.due, line.heard = shot, due, b""
    line.socket.sendall(shot.request)


def _answered(line: _Line, result: Result) -> bool:
    """Read what has come; true once the answer is whole and written down."""
    piece = line.socket.recv(65536)
    if not piece:
        raise SystemExit("the web process has hung up")
    line.heard += piece
    head, blank, body = line.heard.partition(b"\r\n\r\n")
    if not blank or line.shot is None or len(body) < _length(head):
        return False
    result.took.append(time.perf_counter() - line.due)
    if head.startswith(b"HTTP/1.1 200 "):
        result.acknowledged.append(line.shot.name)
    else:
        result.refused += 1
    return True


def _length(head: bytes) -> int:
    for header in head.lower().split(b"\r\n"):
        if header.startswith(b"content-length:"):
            return int(header[15:])
    return 0
