# Darwix AI with every engine, on the CPU. Weights are not in the image: they live in the volume /models.
#     docker build --tag darwix-ai .
#     docker run --publish 127.0.0.1:8000:8000 --env API_KEYS=a-long-secret --volume darwix:/data darwix-ai

FROM python:3.12-slim AS build
ENV PIP_NO_CACHE_DIR=1 \
    PIP_DISABLE_PIP_VERSION_CHECK=1 \
    PATH=/opt/darwix/bin:$PATH
# A compiler for the few packages that have no wheel on some processors (pocketsphinx on arm64).
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends build-essential \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /src
RUN python -m venv /opt/darwix
# The dependencies come before the code, so that a change of code does not fetch them again.
# triton only serves CUDA cards and weighs a gigabyte: openai-whisper names it, and runs without it on a CPU.
COPY pyproject.toml requirements.txt README.md LICENSE ./
RUN mkdir app \
    && touch app/__init__.py \
    && pip install --no-cache-dir --extra-index-url https://download.pytorch.org/whl/cpu \
        --constraint requirements.txt ".[all]" \
    && pip uninstall --yes darwix-ai triton \
    && rm -rf app build
COPY app app
RUN pip install --no-cache-dir --no-deps .

FROM python:3.12-slim
# The distribution's decoder, and not the bundled one, since it reads what strangers send: it gets security fixes.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends ffmpeg espeak-ng \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --uid 10001 --home-dir /data --no-create-home --shell /usr/sbin/nologin darwix \
    && install --directory --owner=darwix --mode=0750 /data /data/audio /models /models/whisper /models/sentiment
COPY --from=build /opt/darwix /opt/darwix
ENV PATH=/opt/darwix/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    XDG_CACHE_HOME=/tmp/cache \
    NUMBA_CACHE_DIR=/tmp/numba \
    DATABASE_URL=sqlite:////data/darwix.db \
    STORAGE_URL=file:///data/audio \
    WHISPER_MODEL_DIR=/models/whisper \
    SENTIMENT_MODEL_DIR=/models/sentiment
WORKDIR /srv
USER 10001
VOLUME ["/data", "/models"]
EXPOSE 8000
HEALTHCHECK --interval=15s --timeout=5s --start-period=30s --retries=3 \
    CMD ["python", "-c", "import http.client, sys; c = http.client.HTTPConnection('127.0.0.1', 8000, timeout=4); c.request('GET', '/health'); sys.exit(c.getresponse().status != 200)"]
# It refuses to start without API_KEYS or ALLOW_NO_AUTH=true, as this address is open to the network.
CMD ["python", "-m", "app", "serve", "--host", "0.0.0.0", "--port", "8000"]
