"""`python -m workers worker` and `python -m workers clock`."""

import sys

from workers import boot, clock, pool


def main(process: str) -> None:
    """Be one of the two processes until told to stop."""
    context = boot.begin(process)
    if process == "clock":
        clock.run(context)
    else:
        pool.Pool(context).run()


if __name__ == "__main__":
    main(sys.argv[1])
