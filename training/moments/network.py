"""The network that is trained: MiniLM, and for each label a look of its own over the word pieces."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from training.moments.talk import SENTIMENTS, SUBTYPES, TYPES

LABELS = len(TYPES) + len(SUBTYPES) + len(SENTIMENTS)
RARE = -2.5
"""Log odds with which a type begins: most segments show none."""
_UNSEEN = -1e4


class ReaderNetwork(nn.Module):
    """Scores of 14 types and 8 subtypes (log odds) and 3 sentiments for each text.

    For each label l, with the word pieces' states h_t of what is said (not of the turn before), weights
    a_t = softmax(q_l h_t) and score = sum_t a_t (w_l h_t) + b_l: so that what each piece adds to the score
    can be told exactly (label-wise attention after Mullenbach et al. 2018, "Explainable prediction of medical
    codes from clinical text").
    """

    def __init__(self, bert: nn.Module, width: int) -> None:
        super().__init__()
        self.bert = bert
        self.queries = nn.Parameter(torch.randn(LABELS, width) * 0.05)
        self.weights = nn.Parameter(torch.randn(LABELS, width) * 0.02)
        self.bias = nn.Parameter(torch.zeros(LABELS))
        self.bias.data[: len(TYPES)] = RARE
        self.dropout = nn.Dropout(0.2)

    def forward(self, ids: Tensor, mask: Tensor, kinds: Tensor) -> Tensor:
        """(texts, 25), of int64 tensors of shape (texts, pieces)."""
        return self.added(ids, mask, kinds).sum(1) + self.bias

    def added(self, ids: Tensor, mask: Tensor, kinds: Tensor) -> Tensor:
        """(texts, pieces, 25): what each piece adds to each label's score."""
        states = self.bert(input_ids=ids, attention_mask=mask, token_type_ids=kinds).last_hidden_state
        states = self.dropout(states)
        unseen = (mask * (1 - kinds) == 0).unsqueeze(-1)
        looks = (states @ self.queries.T).float().masked_fill(unseen, _UNSEEN).softmax(1)
        return looks * (states @ self.weights.T).float()


def new_network(base: Path, attention: str = "sdpa") -> ReaderNetwork:
    """A network whose MiniLM is the one in ``base``, its word embeddings frozen: most words of calls to come
    are not in the talk, and stay where they are in relation to those that are."""
    from transformers import BertModel

    bert: Any = BertModel.from_pretrained(base, add_pooling_layer=False, attn_implementation=attention)
    for layer in bert.encoder.layer:
        layer.attention.self.dropout.p = layer.attention.self.dropout_prob = 0.0
    bert.embeddings.word_embeddings.weight.requires_grad = False
    return ReaderNetwork(bert, bert.config.hidden_size)
