"""Runs the command line: `python -m app`."""

import gc

gc.disable()  # modules are no garbage: looking for some while they load only delays the start
from app.cli import main  # noqa: E402

gc.enable()

if __name__ == "__main__":
    main()
