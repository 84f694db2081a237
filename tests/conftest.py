"""What holds for all tests: Python keeps the bytecode that it compiles.

They start hundreds of processes; where PYTHONDONTWRITEBYTECODE is set, as in many images, each of them would
compile the whole of ``app`` anew, which takes a quarter of its start, and each worker every test.
"""

from __future__ import annotations

import os
import sys

sys.dont_write_bytecode = False
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
