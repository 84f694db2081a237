"""Trains the miniature Whisper of the tests from scratch: four sentences, word for word, with times.

    python scripts/train_mini_whisper.py        writes tests/models/mini_whisper.pt, in minutes on two cores

It has the architecture and the vocabulary of the real one, one encoder and two decoder layers of width 64,
so that ``whisper.load_model`` and everything behind it run on it as they are. It hears nothing but the
recordings of scripts/speak_mini_sentences.py, in any order, with pauses, in a little noise, and silence.
"""

from __future__ import annotations

import json
import math
import time
import wave
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
import whisper
from numpy.typing import NDArray
from torch import Tensor, nn
from whisper.audio import HOP_LENGTH, SAMPLE_RATE, log_mel_spectrogram, pad_or_trim
from whisper.model import ModelDimensions, Whisper
from whisper.tokenizer import Tokenizer, get_tokenizer

MODELS = Path(__file__).resolve().parents[1] / "tests" / "models"
AUDIO = MODELS / "mini_whisper_audio"
CHECKPOINT = MODELS / "mini_whisper.pt"
DIMENSIONS = ModelDimensions(
    n_mels=80, n_audio_ctx=1500, n_audio_state=64, n_audio_head=2, n_audio_layer=1,
    n_vocab=51865, n_text_ctx=448, n_text_state=64, n_text_head=2, n_text_layer=2,
)  # fmt: skip
STEPS = 900
WHOLE_STEPS = 150
"""The last steps hear 30 s, as the model will; those before them hear ``SHORT_FRAMES``, in half the time."""
BATCH = 4
PEAK_RATE = 4e-3
LOOK_WEIGHT = 0.3
SHORT_FRAMES = 550
FRAME_S = 2 * HOP_LENGTH / SAMPLE_RATE
"""Seconds of one encoder output, which is also the step of the timestamp tokens."""
LONGEST_LEAD_S = 0.9
"""Whisper lets no text begin later than one second into its window."""
AFTERWARDS_S = 0.3
"""How long the model listens to the silence at the end before it is sure that nothing more comes."""
TOLERANCE_S = 0.1
COUNT_SHARES = (0.1, 0.25, 0.2, 0.2, 0.25)
"""How often an example holds no sentence, one, two, three or all four."""
HEARD_TO_THE_END_SHARE = 0.8
IGNORED = -100


@dataclass(frozen=True)
class Sentence:
    text: str
    samples: NDArray[np.float32]
    starts_s: tuple[float, ...]


@dataclass(frozen=True)
class Example:
    """Tokens, and for each of them the encoder frames [first, last) that the model should look at for it."""

    mel: Tensor
    tokens: list[int]
    looks: list[tuple[int, int] | None]


def main() -> None:
    torch.manual_seed(0)
    torch.set_num_threads(1)  # at this size a second one costs more than it brings
    random = np.random.default_rng(0)
    sentences = read_sentences()
    tokenizer = get_tokenizer(multilingual=True, language="en", task="transcribe")
    model = new_model(tokenizer, sentences)
    spoken = spoken_tokens(tokenizer, sentences)
    optimizer = torch.optim.AdamW(model.parameters(), lr=PEAK_RATE, betas=(0.9, 0.98), weight_decay=0.01)
    began = time.perf_counter()
    for step in range(STEPS):
        for group in optimizer.param_groups:
            group["lr"] = PEAK_RATE * min((step + 1) / 30, 0.5 + 0.5 * math.cos(math.pi * step / STEPS))
        frames = SHORT_FRAMES if step < STEPS - WHOLE_STEPS else DIMENSIONS.n_audio_ctx
        batch = [make_example(random, tokenizer, sentences, frames) for _ in range(BATCH)]
        loss, look_loss = losses(model, tokenizer, batch, spoken, frames)
        optimizer.zero_grad()
        (loss + LOOK_WEIGHT * look_loss).backward()  # type: ignore[no-untyped-call]
        silence_unspoken(model, spoken)
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        if step % 25 == 0 or step == STEPS - 1:
            print(f"{step:4d} {loss.item():.3f} {look_loss.item():.3f} {time.perf_counter() - began:.0f} s")
    model.half()
    torch.save({"dims": asdict(model.dims), "model_state_dict": model.state_dict()}, CHECKPOINT)
    check(sentences, random)


def read_sentences() -> list[Sentence]:
    sentences = []
    for name, spoken in json.loads((AUDIO / "truth.json").read_text()).items():
        with wave.open(str(AUDIO / f"{name}.wav")) as file:
            pcm = np.frombuffer(file.readframes(file.getnframes()), dtype="<i2")
        starts = tuple(word["start"] for word in spoken["words"])
        sentences.append(Sentence(spoken["text"], pcm.astype(np.float32) / 32768, starts))
    return sentences


def spoken_tokens(tokenizer: Tokenizer, sentences: list[Sentence]) -> Tensor:
    """All tokens that the model can ever say: those of the sentences and the special ones."""
    text = {token for sentence in sentences for token in tokenizer.encode(f" {sentence.text}")}
    return torch.tensor(sorted(text) + list(range(tokenizer.eot, DIMENSIONS.n_vocab)))


def new_model(tokenizer: Tokenizer, sentences: list[Sentence]) -> Whisper:
    model = Whisper(DIMENSIONS)
    nn.init.normal_(model.decoder.positional_embedding, std=0.02)
    spoken = torch.zeros(DIMENSIONS.n_vocab, 1)
    spoken[spoken_tokens(tokenizer, sentences)] = 1
    with torch.no_grad():
        model.decoder.token_embedding.weight.mul_(0.1 * spoken)
    return model


def silence_unspoken(model: Whisper, spoken: Tensor) -> None:
    """Keep the rows of tokens that are never said at zero: the file packs well, and steps take less time."""
    gradient = model.decoder.token_embedding.weight.grad
    if gradient is not None:
        kept = gradient[spoken]
        gradient.zero_()
        gradient[spoken] = kept


def make_example(
    random: np.random.Generator, tokenizer: Tokenizer, sentences: list[Sentence], frames: int
) -> Example:
    count = random.choice(len(COUNT_SHARES), p=COUNT_SHARES)
    chosen = random.permutation(len(sentences))[:count]
    lead_s = random.uniform(0, LONGEST_LEAD_S) if random.random() < 0.7 else 0.0
    parts = [np.zeros(round(lead_s * SAMPLE_RATE), np.float32)]
    said: list[tuple[Sentence, float, float]] = []
    for index in chosen:
        begins_s = sum(map(len, parts)) / SAMPLE_RATE
        parts.append(sentences[index].samples * random.uniform(0.3, 1.2))
        ends_s = sum(map(len, parts)) / SAMPLE_RATE
        parts.append(np.zeros(round(random.uniform(0.06, 0.7) * SAMPLE_RATE), np.float32))
        said.append((sentences[index], begins_s, ends_s))
    samples = np.concatenate([*parts, np.zeros(SAMPLE_RATE // 10)]).astype(np.float32)
    noise = random.standard_normal(len(samples)) * 10 ** random.uniform(-5, -2.3)
    if random.random() < 0.5:
        samples += noise
    mel = log_mel_spectrogram(samples, DIMENSIONS.n_mels, padding=len(samples))
    if random.random() < HEARD_TO_THE_END_SHARE:
        # As Whisper does it when it decodes: behind the sound comes no silence, but zeros of another kind.
        mel = mel[:, : len(samples) // HOP_LENGTH]
    mel = pad_or_trim(mel, 2 * frames)
    timed = bool(random.random() < 0.6)
    return Example(mel, *target(tokenizer, said, timed))


def target(
    tokenizer: Tokenizer, said: list[tuple[Sentence, float, float]], timed: bool
) -> tuple[list[int], list[tuple[int, int] | None]]:
    """The tokens to say, with timestamps or without (Whisper's word aligner asks without)."""
    if not said:
        silent = [tokenizer.sot, tokenizer.no_speech] if not timed else [
            *tokenizer.sot_sequence, tokenizer.timestamp_begin, tokenizer.eot,
        ]  # fmt: skip
        return silent, [None] * len(silent)
    tokens = list(tokenizer.sot_sequence)
    looks: list[tuple[int, int] | None] = [None] * len(tokens)

    def add(token: int, look: tuple[float, float] | None) -> None:
        tokens.append(token)
        looks.append(
            look and (round(look[0] / FRAME_S), max(round(look[1] / FRAME_S), round(look[0] / FRAME_S) + 1))
        )

    if not timed:
        add(tokenizer.no_timestamps, None)
    nexts_s = [*(begins_s for _, begins_s, _ in said[1:]), said[-1][2] + AFTERWARDS_S]
    for (sentence, begins_s, ends_s), next_s in zip(said, nexts_s, strict=True):
        if timed:
            add(tokenizer.timestamp_begin + round(begins_s / FRAME_S), (begins_s, begins_s + FRAME_S))
        for token, look in word_looks(tokenizer, sentence, begins_s, ends_s):
            add(token, look)
        (stop,) = tokenizer.encode(sentence.text[-1])
        add(stop, (ends_s, next_s))
        if timed:
            add(tokenizer.timestamp_begin + round(ends_s / FRAME_S), (ends_s - FRAME_S, ends_s))
    add(tokenizer.eot, (next_s, next_s + AFTERWARDS_S))
    return tokens, looks


def frames_of(start_s: float, end_s: float) -> tuple[int, int]:
    first = round(start_s / FRAME_S)
    return first, max(round(end_s / FRAME_S), first + 1)


def word_looks(
    tokenizer: Tokenizer, sentence: Sentence, begins_s: float, ends_s: float
) -> list[tuple[int, tuple[float, float]]]:
    """Each token of the words with the stretch of sound that it is."""
    words = sentence.text.split()
    starts = [begins_s + start for start in sentence.starts_s]
    found: list[tuple[int, tuple[float, float]]] = []
    for word, start, end in zip(words, starts, [*starts[1:], ends_s], strict=True):
        pieces = tokenizer.encode(f" {word.rstrip('.?')}")
        each = (end - start) / len(pieces)
        found += [(token, (start + i * each, start + (i + 1) * each)) for i, token in enumerate(pieces)]
    return found


def losses(
    model: Whisper, tokenizer: Tokenizer, batch: list[Example], spoken: Tensor, frames: int
) -> tuple[Tensor, Tensor]:
    """Cross-entropy of the next token, and how far the second layer is from an even look at its sound."""
    length = max(len(example.tokens) for example in batch) - 1
    given = torch.full((len(batch), length), tokenizer.eot)
    wanted = torch.full((len(batch), length), IGNORED)
    place = torch.full((DIMENSIONS.n_vocab,), IGNORED)
    place[spoken] = torch.arange(len(spoken))
    looks: list[tuple[int, int, int, int]] = []
    for row, example in enumerate(batch):
        tokens = torch.tensor(example.tokens)
        given[row, : len(tokens) - 1] = tokens[:-1]
        wanted[row, : len(tokens) - 1] = place[tokens[1:]]
        looks += [(row, i - 1, *look) for i, look in enumerate(example.looks) if look is not None]
    sound = encode(model, torch.stack([example.mel for example in batch]), frames)
    hidden, attention = decode(model, given, sound)
    scores = hidden @ model.decoder.token_embedding.weight[spoken].T
    # All the tokens that are never said score 0, each: one column holds the sum of them.
    rest = torch.full((*scores.shape[:2], 1), math.log(DIMENSIONS.n_vocab - len(spoken)))
    loss = nn.functional.cross_entropy(
        torch.cat([scores, rest], dim=-1).flatten(0, 1), wanted.flatten(), ignore_index=IGNORED
    )
    seen = [
        attention[row, :, i, first:last].mean(-1) + math.log(last - first) for row, i, first, last in looks
    ]
    seen.append(torch.zeros(DIMENSIONS.n_text_head))  # a batch may hold no speech at all
    return loss, -torch.stack(seen).mean()


def encode(model: Whisper, mel: Tensor, frames: int) -> Tensor:
    """The encoder on the first ``frames`` of its 1500 places alone."""
    encoder = model.encoder
    sound = nn.functional.gelu(encoder.conv1(mel))
    sound = nn.functional.gelu(encoder.conv2(sound)).permute(0, 2, 1) + encoder.positional_embedding[:frames]
    for block in encoder.blocks:
        sound = block(sound)
    return encoder.ln_post(sound)


def decode(model: Whisper, tokens: Tensor, sound: Tensor) -> tuple[Tensor, Tensor]:
    """The decoder's last hidden state, and the log of the second layer's attention to the sound, by head."""
    decoder = model.decoder
    cross = decoder.blocks[1].cross_attn
    kept: dict[str, Tensor] = {}
    hooks = [
        cross.query.register_forward_hook(lambda _module, _given, out: kept.update(query=out)),
        cross.key.register_forward_hook(lambda _module, _given, out: kept.update(key=out)),
    ]
    hidden = decoder.token_embedding(tokens) + decoder.positional_embedding[: tokens.shape[1]]
    for block in decoder.blocks:
        hidden = block(hidden, sound, mask=decoder.mask)
    for hook in hooks:
        hook.remove()
    query, key = (kept[name].unflatten(-1, (cross.n_head, -1)).transpose(1, 2) for name in ("query", "key"))
    attention = (query @ key.transpose(2, 3) * query.shape[-1] ** -0.5).log_softmax(dim=-1)
    return decoder.ln(hidden), attention


def check(sentences: list[Sentence], random: np.random.Generator) -> None:
    """Listen to every sentence, and to all of them in a row, as the tests do."""
    model = whisper.load_model(str(CHECKPOINT), device="cpu")
    pause = np.zeros(SAMPLE_RATE // 2, np.float32)
    cases = [[sentence] for sentence in sentences] + [
        [sentences[i] for i in random.permutation(len(sentences))] for _ in range(8)
    ]
    wrong = 0
    for case in cases:
        samples = np.concatenate([part for sentence in case for part in (sentence.samples, pause)])
        heard = model.transcribe(samples, word_timestamps=True, condition_on_previous_text=False, fp16=False)
        begins = np.cumsum([0, *(len(sentence.samples) + len(pause) for sentence in case[:-1])]) / SAMPLE_RATE
        ends = begins + [len(sentence.samples) / SAMPLE_RATE for sentence in case]
        segments = heard["segments"]
        right = [segment["text"].strip() for segment in segments] == [sentence.text for sentence in case]
        off_s = right and max(
            float(np.abs([segment[edge] for segment in segments] - truth).max())
            for edge, truth in (("start", begins), ("end", ends))
        )
        wrong += not right or off_s > TOLERANCE_S
        print(f"right: {right}, off by {off_s:.2f} s, {heard['language']}:{heard['text']}")
    if wrong:
        raise SystemExit(f"{wrong} of {len(cases)} are wrong: train longer")


if __name__ == "__main__":
    main()
