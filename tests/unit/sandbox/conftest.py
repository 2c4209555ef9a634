from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.sandbox.play import Play


@pytest.fixture
def play(tmp_path: Path) -> Iterator[Play]:
    """A sandbox without HTTP, at `play.START`."""
    made = Play(tmp_path)
    yield made
    made.world.store.close()
