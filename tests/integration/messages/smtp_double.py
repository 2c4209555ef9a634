"""A tiny SMTP server: it speaks the protocol, keeps what it was given, and misbehaves where a test asks it to."""

import socket
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

CUT = "cut"
HANG = "hang"
_USUAL = {"auth": "235 welcome", "quit": "221 bye"}


@dataclass
class SmtpDouble:
    """`answers` replaces the answer to `mail`, `rcpt`, `data`, `content` and so on; CUT hangs up, HANG says nothing."""

    answers: dict[str, str] = field(default_factory=dict)
    extensions: tuple[str, ...] = ("8BITMIME", "SMTPUTF8")
    commands: list[str] = field(default_factory=list)
    contents: list[bytes] = field(default_factory=list)
    port: int = 0
    is_over: threading.Event = field(default_factory=threading.Event)


@contextmanager
def smtp_double(**given: object) -> Iterator[SmtpDouble]:
    """A server on 127.0.0.1 for the time of a test."""
    double = SmtpDouble(**given)  # type: ignore[arg-type]

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True

    class Conversation(_Conversation):
        script = double

    with Server(("127.0.0.1", 0), Conversation) as server:
        double.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield double
        finally:
            double.is_over.set()
            server.shutdown()
            thread.join()


class _HangUp(Exception):
    pass


class _Conversation(socketserver.StreamRequestHandler):
    script: SmtpDouble

    def handle(self) -> None:
        try:
            self._say("banner", "220 double")
            while line := self.rfile.readline():
                self._answer(line.decode().strip())
        except (_HangUp, ConnectionError):
            self.request.shutdown(socket.SHUT_RDWR)

    def _answer(self, line: str) -> None:
        verb = line.split(" ")[0].split(":")[0].lower()
        self.script.commands.append(line)
        if verb == "ehlo":
            lines = ["double", *self.script.extensions]
            listed = [f"250-{name}" for name in lines[:-1]] + [f"250 {lines[-1]}"]
            self._say(verb, "\r\n".join(listed))
        elif verb == "data":
            self._say(verb, "354 go on")
            if not self.script.answers.get("data", "354").startswith("354"):
                return
            self.script.contents.append(self._content())
            self._say("content", "250 queued as 42")
        else:
            self._say(verb, _USUAL.get(verb, "250 ok"))

    def _content(self) -> bytes:
        lines = []
        while (line := self.rfile.readline()) != b".\r\n":
            if not line:
                raise _HangUp
            lines.append(line.removeprefix(b".") if line.startswith(b"..") else line)
        return b"".join(lines)

    def _say(self, what: str, usual: str) -> None:
        answer = self.script.answers.get(what, usual)
        if answer == HANG:
            self.script.is_over.wait(20)
            raise _HangUp
        if answer == CUT:
            raise _HangUp
        self.wfile.write(f"{answer}\r\n".encode())
