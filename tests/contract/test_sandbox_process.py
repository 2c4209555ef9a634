"""As a process of its own the sandbox keeps every answer it gave, also when killed, and leaves politely when asked."""

import json
import os
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
import requests
import stripe

ROOT = Path(__file__).parents[2]


@dataclass
class Process:
    popen: subprocess.Popen[str]
    port: int

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def client(self) -> stripe.StripeClient:
        return stripe.StripeClient("sk_test_sandbox", base_addresses={"api": self.url}, max_network_retries=0)

    def end(self, how: signal.Signals) -> int:
        self.popen.send_signal(how)
        code = self.popen.wait(timeout=30)
        assert self.popen.stderr is not None
        self.popen.stderr.close()
        return code


def start(home: Path) -> Process:
    popen = subprocess.Popen(
        [sys.executable, "-m", "app.sandbox", "--home", str(home), "--port", "0"],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stderr=subprocess.PIPE,
        text=True,
    )
    assert popen.stderr is not None
    for line in popen.stderr:
        if "sandbox.serving" in line:
            return Process(popen, json.loads(line)["port"])
    raise AssertionError(f"the sandbox did not start: {popen.wait()}")


def test_a_killed_sandbox_knows_every_charge_it_acknowledged(tmp_path: Path) -> None:
    process = start(tmp_path)
    made = requests.post(f"{process.url}/_sandbox/customers", json={"name": "Killed"}, timeout=20).json()
    failed = requests.post(f"{process.url}/_sandbox/fail", json={"customer": made["customer"]}, timeout=20).json()
    with pytest.raises(stripe.CardError) as first:
        process.client.v1.invoices.pay(failed["invoice"], {}, {"idempotency_key": "before-the-kill"})
    people = [process.client.v1.customers.create({"name": f"Nr {number}"}).id for number in range(20)]
    assert process.end(signal.SIGKILL) == -signal.SIGKILL

    again = start(tmp_path)
    try:
        assert [again.client.v1.customers.retrieve(person).id for person in people] == people
        invoice = again.client.v1.invoices.retrieve(failed["invoice"])
        assert (invoice.status, invoice.attempt_count) == ("open", 1)
        assert invoice.next_payment_attempt == failed["next_payment_attempt"]
        with pytest.raises(stripe.CardError) as second:
            again.client.v1.invoices.pay(failed["invoice"], {}, {"idempotency_key": "before-the-kill"})
        assert second.value.json_body == first.value.json_body
        books = requests.get(f"{again.url}/_sandbox/books", timeout=20).json()
        assert [entry["failed_charges"] for entry in books["invoices"]] == [0, 2]
    finally:
        assert again.end(signal.SIGTERM) == 0
