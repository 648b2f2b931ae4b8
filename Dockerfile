# One image for everything: `python -m services.essay_lifecycle_service`, `scriptorium migrate`, ...
FROM python:3.13-slim AS build
# Where packages come from is the builder's affair: a pip.conf may be given as the secret `pip`.
WORKDIR /build
COPY requirements/build.txt requirements/runtime.txt requirements/
RUN --mount=type=secret,id=pip,target=/etc/pip.conf \
    python -m venv --without-pip /opt/scriptorium && \
    pip --python /opt/scriptorium/bin/python install --no-cache-dir --only-binary :all: \
        --require-hashes --requirement requirements/runtime.txt && \
    pip install --no-cache-dir --require-hashes --requirement requirements/build.txt
COPY pyproject.toml README.md LICENSE alembic.ini ./
COPY alembic alembic
COPY libs libs
COPY cli cli
COPY services services
RUN pip wheel --no-cache-dir --no-deps --no-build-isolation --wheel-dir /wheels . && \
    pip --python /opt/scriptorium/bin/python install --no-cache-dir --no-deps --no-index /wheels/*.whl

FROM python:3.13-slim
RUN groupadd --gid 10001 scriptorium && useradd --uid 10001 --gid scriptorium --no-create-home scriptorium && \
    install --directory --owner=scriptorium --group=scriptorium --mode=0700 /var/spool/scriptorium
COPY --from=build /opt/scriptorium /opt/scriptorium
ENV PATH=/opt/scriptorium/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    SCRIPTORIUM_HOST=0.0.0.0
USER 10001:10001
WORKDIR /tmp
EXPOSE 8000
CMD ["scriptorium", "--help"]
