"""A text classifier's arithmetic: the same network through torch, or in 8 bits through ONNX Runtime."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class Classifier(Protocol):
    """``inputs``: the names of what it reads. Made for one thread at a time."""

    inputs: tuple[str, ...]

    def logits(self, batch: Mapping[str, NDArray[np.int64]]) -> NDArray[np.float32]:
        """Scores of shape (texts, classes) from arrays of shape (texts, tokens)."""
        ...


class TorchClassifier:
    """In 32 bits, on the GPU where there is one: half precision there would let neighbours show."""

    def __init__(self, folder: Path, device: str | None = None) -> None:
        import inspect

        import torch
        from transformers import AutoModelForSequenceClassification

        self.model = AutoModelForSequenceClassification.from_pretrained(
            folder, use_safetensors=True, local_files_only=True, trust_remote_code=False, dtype=torch.float32
        ).eval()
        self._device = device or ("cuda" if torch.cuda.is_available() else "cpu")
        self.model.to(self._device)
        self.inputs = tuple(inspect.signature(self.model.forward).parameters)

    def logits(self, batch: Mapping[str, NDArray[np.int64]]) -> NDArray[np.float32]:
        import torch

        tensors = {name: torch.from_numpy(values).to(self._device) for name, values in batch.items()}
        with torch.inference_mode():
            answer: NDArray[np.float32] = self.model(**tensors).logits.cpu().numpy()
        return answer


class OnnxClassifier:
    """An ONNX file on the processor. ``about``: what its maker wrote into it."""

    def __init__(self, file: Path, threads: int) -> None:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        # Idle threads sleep: the cores belong to the other engines meanwhile.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        self._session: Any = onnxruntime.InferenceSession(
            str(file), options, providers=["CPUExecutionProvider"]
        )
        self.inputs = tuple(each.name for each in self._session.get_inputs())
        self.about: dict[str, str] = self._session.get_modelmeta().custom_metadata_map

    def logits(self, batch: Mapping[str, NDArray[np.int64]]) -> NDArray[np.float32]:
        [answer] = self._session.run(None, dict(batch))
        return answer  # type: ignore[no-any-return]
