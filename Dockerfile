# syntax=docker/dockerfile:1
# Two stages: uv puts the locked packages and the bot into /opt/tocsin, and only that folder goes into the image.
# The image runs as uid 10001 with a read-only root; /data is the only folder it writes.

FROM python:3.12-slim AS build
ARG UV_VERSION=0.13.8
ENV UV_PROJECT_ENVIRONMENT=/opt/tocsin \
    UV_PYTHON=/usr/local/bin/python3 \
    UV_PYTHON_DOWNLOADS=never \
    UV_LINK_MODE=copy \
    UV_COMPILE_BYTECODE=1
RUN pip install --no-cache-dir --disable-pip-version-check "uv==${UV_VERSION}"
WORKDIR /src
# The packages first: they change less often than the bot, and this layer is kept until the lock file changes.
COPY pyproject.toml uv.lock ./
RUN uv sync --frozen --no-dev --no-install-project
COPY README.md LICENSE NOTICE ./
COPY bot ./bot
RUN uv sync --frozen --no-dev --no-editable

FROM python:3.12-slim
LABEL org.opencontainers.image.title="Tocsin" \
      org.opencontainers.image.description="Counts what people report, and keeps one living thread per incident in Slack and Discord." \
      org.opencontainers.image.version="0.1.0" \
      org.opencontainers.image.licenses="Apache-2.0"
ENV PATH=/opt/tocsin/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1
RUN groupadd --gid 10001 tocsin \
    && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /data --shell /usr/sbin/nologin tocsin \
    && install --directory --owner=10001 --group=10001 --mode=0700 /data
COPY --from=build /opt/tocsin /opt/tocsin
COPY LICENSE NOTICE /usr/share/doc/tocsin/
COPY deploy/config.yaml /etc/tocsin/config.yaml
COPY scenarios /etc/tocsin/scenarios
WORKDIR /etc/tocsin
USER 10001:10001
VOLUME /data
EXPOSE 8080
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=10s --start-period=20s --retries=3 CMD ["tocsin", "health"]
ENTRYPOINT ["tocsin"]
CMD ["run"]
