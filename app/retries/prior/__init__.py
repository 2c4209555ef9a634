"""What is believed before an account has cases of its own: tables with the origin of each row, and their reader.

Lines that begin with `#` tell where a table comes from. Refuses to know what the tables are for.
"""

import csv
from importlib.resources import files

PRIOR_VERSION = "2026-11-22"


def read_table(name: str) -> list[dict[str, str]]:
    """The rows of `prior/NAME.csv`."""
    lines = files("app.retries").joinpath("prior", f"{name}.csv").read_text("utf-8").splitlines()
    return list(csv.DictReader(line for line in lines if not line.startswith("#")))
