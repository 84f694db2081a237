"""A speaker pipeline as pyannote.audio 4 stores them, made of tiny models that have learnt nothing.

Its segmentation hears one voice all the time; whose, is left to what chance makes of the embeddings.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

CONFIG = """
dependencies:
  pyannote.audio: 4.0.0
pipeline:
  name: pyannote.audio.pipelines.SpeakerDiarization
  params:
    clustering: VBxClustering
    segmentation: $model/segmentation
    embedding: $model/embedding
    plda: $model/plda
    embedding_exclude_overlap: true
params:
  clustering:
    threshold: 0.6
    Fa: 0.07
    Fb: 0.8
  segmentation:
    min_duration_off: 0.0
"""
SIZE = 128
"""Numbers in an embedding, and in what is left of it for clustering."""


def make_pipeline(folder: Path) -> Path:
    """Write configuration and weights into ``folder``; needs pyannote.audio."""
    import torch
    from pyannote.audio.core.task import Problem, Resolution, Specifications
    from pyannote.audio.models.embedding import XVectorSincNet
    from pyannote.audio.models.segmentation import PyanNet

    torch.manual_seed(0)
    segmentation = PyanNet(
        lstm={"hidden_size": 8, "num_layers": 1, "bidirectional": True, "monolithic": True},
        linear={"hidden_size": 8, "num_layers": 1},
    )
    segmentation.specifications = Specifications(
        problem=Problem.MONO_LABEL_CLASSIFICATION,
        resolution=Resolution.FRAME,
        duration=2.0,
        min_duration=None,
        classes=["speaker#1", "speaker#2", "speaker#3"],
        powerset_max_classes=2,
        permutation_invariant=True,
    )
    segmentation.build()
    with torch.no_grad():
        segmentation.classifier.bias[1] = 10.0
    embedding = XVectorSincNet(dimension=SIZE)
    embedding.specifications = Specifications(
        problem=Problem.REPRESENTATION, resolution=Resolution.CHUNK, duration=2.0, classes=["a", "b"]
    )
    (folder / "config.yaml").write_text(CONFIG)
    _save(segmentation, folder / "segmentation")
    _save(embedding, folder / "embedding")
    _save_plda(folder / "plda")
    return folder


def _save(model: Any, folder: Path) -> None:
    import torch

    kind = type(model)
    checkpoint = {
        "state_dict": model.state_dict(),
        "hyper_parameters": dict(model.hparams),
        "pytorch-lightning_version": "2.5.0",
        "epoch": 0,
        "global_step": 0,
        "pyannote.audio": {
            "versions": {"torch": torch.__version__, "pyannote.audio": "4.0.0"},
            "architecture": {"module": kind.__module__, "class": kind.__name__},
            "specifications": model.specifications,
        },
    }
    folder.mkdir()
    torch.save(checkpoint, folder / "pytorch_model.bin")


def _save_plda(folder: Path) -> None:
    folder.mkdir()
    np.savez(folder / "xvec_transform.npz", mean1=np.zeros(SIZE), mean2=np.zeros(SIZE), lda=np.eye(SIZE))
    np.savez(folder / "plda.npz", mu=np.zeros(SIZE), tr=np.eye(SIZE), psi=np.linspace(2.0, 0.1, SIZE))
