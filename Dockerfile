# syntax=docker/dockerfile:1
FROM python:3.13-slim AS build
WORKDIR /build
RUN python -m venv /opt/build && python -m venv /opt/seance
COPY requirements/build.txt requirements/image.txt requirements/
RUN /opt/build/bin/pip install --no-cache-dir --require-hashes --no-deps --requirement requirements/build.txt \
 && /opt/seance/bin/pip install --no-cache-dir --require-hashes --no-deps --requirement requirements/image.txt
COPY pyproject.toml README.md LICENSE ./
COPY alembic alembic
COPY server server
# pip compiles what it installs, so the first start does not have to.
RUN /opt/build/bin/pip wheel --no-build-isolation --no-deps --wheel-dir dist . \
 && /opt/seance/bin/pip install --no-index --no-deps dist/*.whl

FROM python:3.13-slim
RUN useradd --uid 10001 --no-create-home --shell /usr/sbin/nologin seance \
 && install --directory --owner=seance --group=seance /data
COPY --from=build /opt/seance /opt/seance
ENV PATH=/opt/seance/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    ENVIRONMENT=production \
    HOST=0.0.0.0 \
    PORT=8000 \
    DATABASE_URL=sqlite:////data/seance.sqlite3
USER 10001
WORKDIR /data
VOLUME /data
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s \
  CMD ["python", "-c", "import os, urllib.request; urllib.request.urlopen(f'http://127.0.0.1:{os.environ[\"PORT\"]}/health/ready', timeout=2)"]
ENTRYPOINT ["seance"]
CMD ["serve"]
