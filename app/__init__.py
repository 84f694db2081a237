"""Darwix AI: understand sales calls on your own machines."""

import os

__version__ = "1.0.0"

# ONNX Runtime (1.29 and later, Linux) tells Microsoft of each model that is opened, unless it is told not to
# before its first import; here, since several engines import it.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"
