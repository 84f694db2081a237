"""Any server that speaks the OpenAI audio API (speaches, vLLM, a cloud), named by ``STT_API_BASE``."""

from __future__ import annotations

import io
import logging
import ssl
import time
import wave
from collections.abc import Iterator
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, ClassVar
from uuid import uuid4

from pydantic import ValidationError

from app.core.clock import utc_now
from app.core.exceptions import StageFailed
from app.core.reach import is_reachable
from app.schemas.audio import SAMPLE_RATE
from app.schemas.engine import Availability, Capabilities
from app.schemas.transcript import Transcript
from app.services.stt.openai_api_answer import Answer, transcript_of
from app.services.stt.openai_api_client import AnswerTooLarge, Reply, ServerAddress, address_of, post
from app.services.stt.whisper_dialect import filled, prompt_of

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from app.core.config import Settings
    from app.services.stt.base import SttRequest

log = logging.getLogger(__name__)

PATH = "/audio/transcriptions"
REFUSALS = {
    401: "it does not take the key: check STT_API_KEY",
    403: "the key may not do this: check STT_API_KEY",
    404: "it has no such model or address: check STT_API_BASE and STT_API_MODEL",
    413: "the recording is too large for it",
}


class OpenaiApiEngine:
    """Sends each window as a WAV file. The audio leaves this machine unless the address is loopback."""

    name = "openai_api"
    connect_timeout_s: ClassVar[float] = 2.0
    pauses_s: ClassVar[tuple[float, ...]] = (0.5, 1.0, 2.0)
    """Between one attempt and the next, where the server names no longer time."""

    def __init__(self, settings: Settings) -> None:
        self._model = settings.stt_api_model
        self._timeout_s = settings.stt_api_timeout_s
        self._key = settings.stt_api_key.get_secret_value().strip() if settings.stt_api_key else ""
        self._server: ServerAddress | None = None
        self._problem: tuple[str, str] | None = None
        self._read_settings(settings.stt_api_base)
        is_local = self._server is not None and self._server.is_this_machine
        # Whether a server gives times of words shows only in its answers: they are not to be counted on.
        self.capabilities = Capabilities(sends_data_out=not is_local, word_times=False)

    @property
    def label(self) -> str:
        return f"openai_api:{self._model}"

    def availability(self) -> Availability:
        if self._server is None or self._problem is not None:
            return Availability.unavailable(*(self._problem or _UNNAMED))
        if not is_reachable(
            self._server.host, self._server.port, self.connect_timeout_s, self._server.scheme
        ):
            return Availability.unavailable(
                "the server that STT_API_BASE names cannot be reached", "start it, or correct STT_API_BASE"
            )
        return Availability.ready()

    def fetch(self) -> None:
        """Nothing to fetch: the weights are the server's."""

    def load(self) -> None:
        """Nothing to load."""

    def transcribe(self, request: SttRequest) -> Transcript:
        """Raises StageFailed where the server does not answer with a transcript in ``STT_API_TIMEOUT_S``."""
        if len(request.samples) == 0:
            return Transcript((), request.language)
        boundary = uuid4().hex
        samples = filled(request.samples)
        body = _multipart(boundary, self._fields(request), _wav(samples))
        content = self._asked(body, f"multipart/form-data; boundary={boundary}")
        try:
            answer = Answer.model_validate_json(content)
        except ValidationError as error:
            raise StageFailed("stt", f"{self.label}: the server's answer is no transcript") from error
        return transcript_of(answer, len(samples) / SAMPLE_RATE, request.language)

    def _read_settings(self, base: str | None) -> None:
        if base is None:
            self._problem = _UNNAMED
            return
        if not self._key.isascii() or not self._key.isprintable():
            self._problem = ("STT_API_KEY holds characters that no key has", "correct STT_API_KEY")
        try:
            self._server = address_of(base.strip())
        except ValueError as error:
            self._problem = (f"STT_API_BASE is no address to use: {error}", _UNNAMED[1])

    def _fields(self, request: SttRequest) -> Iterator[tuple[str, str]]:
        yield "model", self._model
        yield "response_format", "verbose_json"
        yield "timestamp_granularities[]", "word"
        yield "timestamp_granularities[]", "segment"
        yield "temperature", "0"
        if request.language is not None:
            yield "language", request.language
        if prompt := prompt_of(request.vocabulary, _guessed_tokens):
            yield "prompt", prompt

    def _asked(self, body: bytes, content_type: str) -> bytes:
        """The answer, asked for again after a pause where there is hope."""
        if self._server is None or self._problem is not None:
            raise StageFailed("stt", f"{self.label}: {(self._problem or _UNNAMED)[0]}")
        headers = {"Content-Type": content_type, "Accept": "application/json", "Accept-Encoding": "identity"}
        if self._key:
            headers["Authorization"] = f"Bearer {self._key}"
        deadline = time.monotonic() + self._timeout_s
        pauses = iter(self.pauses_s)
        while True:
            reply, trouble = self._attempt(self._server, headers, body, deadline)
            if reply is not None and reply.status == 200:
                return reply.body
            pause_s = next(pauses, None)
            if pause_s is None:
                raise StageFailed("stt", f"{self.label}: {trouble}, {len(self.pauses_s) + 1} times in a row")
            wait_s = max(pause_s, _asked_wait_s(reply.retry_after) if reply else 0.0)
            if time.monotonic() + wait_s >= deadline:
                raise StageFailed(
                    "stt", f"{self.label}: {trouble}, and STT_API_TIMEOUT_S ends before a retry"
                )
            log.info("stt.api_retry", extra={"engine": self.label, "trouble": trouble, "wait_s": wait_s})
            time.sleep(wait_s)

    def _attempt(
        self, server: ServerAddress, headers: dict[str, str], body: bytes, deadline: float
    ) -> tuple[Reply | None, str]:
        """The reply, if any, and what is wrong. Raises StageFailed where another attempt would not help."""
        try:
            reply = post(server, PATH, dict(headers), body, deadline)
        except TimeoutError as error:
            raise StageFailed(
                "stt", f"{self.label}: no answer within {self._timeout_s:g} s (STT_API_TIMEOUT_S)"
            ) from error
        except ssl.SSLCertVerificationError as error:
            raise StageFailed(
                "stt", f"{self.label}: the server's certificate is not to be trusted"
            ) from error
        except AnswerTooLarge as error:
            raise StageFailed("stt", f"{self.label}: the server's answer is too large") from error
        except OSError as error:
            return None, f"the connection failed ({type(error).__name__})"
        if reply.status in (200, 429) or reply.status >= 500:
            return reply, f"the server answered {reply.status}"
        raise StageFailed("stt", f"{self.label}: the server answered {reply.status}: {_why(reply.status)}")


_UNNAMED = (
    "STT_API_BASE names no server",
    "set STT_API_BASE to the address before /audio/transcriptions, such as http://127.0.0.1:8000/v1",
)


def _why(status: int) -> str:
    if 300 <= status < 400:
        return "redirects are not followed; set STT_API_BASE to the server's own address"
    return REFUSALS.get(status, "it does not take the request")


def _asked_wait_s(retry_after: str | None) -> float:
    """Seconds that a Retry-After header asks for (RFC 9110, 10.2.3: a number or a date); 0 where none."""
    text = (retry_after or "").strip()
    if text.isdecimal() and text.isascii():
        return float(text)
    try:
        asked = parsedate_to_datetime(text)
    except ValueError:
        return 0.0
    return max((asked.replace(tzinfo=asked.tzinfo or UTC) - utc_now()).total_seconds(), 0.0)


def _guessed_tokens(text: str) -> int:
    """More than Whisper's tokenizer makes of names: this one's is the server's own."""
    return len(text.encode()) // 2


def _wav(samples: NDArray[np.float32]) -> bytes:
    import numpy as np

    pcm = np.clip(np.rint(samples.astype(np.float64) * 32768.0), -32768, 32767).astype("<i2")
    stream = io.BytesIO()
    with wave.open(stream, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(SAMPLE_RATE)
        file.writeframes(pcm.tobytes())
    return stream.getvalue()


def _multipart(boundary: str, fields: Iterator[tuple[str, str]], wav: bytes) -> bytes:
    """RFC 7578. The boundary is drawn at random, so that no field can hold it."""
    parts = [
        f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
        for name, value in fields
    ]
    parts.append(
        f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="window.wav"\r\n'
        "Content-Type: audio/wav\r\n\r\n".encode()
    )
    return b"".join([*parts, wav, f"\r\n--{boundary}--\r\n".encode()])
