"""The worlds' numbers, read from `parameters.toml`."""

import tomllib
from collections.abc import Mapping
from functools import lru_cache
from importlib.resources import files
from typing import Any

import numpy as np


@lru_cache(maxsize=1)
def _content() -> dict[str, Any]:
    return tomllib.loads(files("app.retries.worlds").joinpath("parameters.toml").read_text("utf-8"))


def common() -> Mapping[str, float]:
    """The numbers that all worlds share."""
    found: Mapping[str, float] = _content()["common"]
    return found


def world(name: str) -> dict[str, Any]:
    """The numbers of one world."""
    found: dict[str, Any] = _content()["worlds"][name]
    return found


def pick(shares: Mapping[str, float], rng: np.random.Generator) -> str:
    """One of the names, drawn by its share."""
    weights = np.array(list(shares.values()))
    return list(shares)[int(rng.choice(len(weights), p=weights / weights.sum()))]
