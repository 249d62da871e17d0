# Two stages: the first installs the locked packages (with hashes) and the wheel, its rules compiled
# (docs/decisions/0009), into a virtual environment of its own; the second is that environment and a
# user without rights. Only the first needs a C compiler: its image is the one that has it.
# Python never runs with -O here: asserts state invariants.
ARG PYTHON_IMAGE=python:3.11-slim-bookworm
ARG BUILD_IMAGE=python:3.11-bookworm

FROM ${BUILD_IMAGE} AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_NO_INPUT=1
WORKDIR /src
RUN python -m venv /opt/build && python -m venv /opt/backship
# The locks first: they change seldom, and so their layer is seldom made anew.
COPY requirements.lock requirements-compile.lock ./
# What compiles reads the types of what it runs with.
RUN /opt/build/bin/pip install --no-deps --require-hashes -r requirements.lock
RUN /opt/build/bin/pip install --no-deps --require-hashes -r requirements-compile.lock
RUN /opt/backship/bin/pip install --no-deps --require-hashes -r requirements.lock
COPY pyproject.toml README.md LICENSE NOTICE ./
COPY config config
COPY console console
COPY events events
COPY handlers handlers
COPY store store
COPY workers workers
RUN HATCH_BUILD_HOOKS_ENABLE=1 /opt/build/bin/pip wheel --no-deps --no-build-isolation --wheel-dir /src/dist .
RUN /opt/backship/bin/pip install --no-deps --no-index /src/dist/backship-*.whl
RUN /opt/backship/bin/python -m compileall -q /opt/backship/lib
RUN /opt/backship/bin/pip uninstall --yes --quiet pip setuptools

FROM ${PYTHON_IMAGE}
LABEL org.opencontainers.image.title="Backship" org.opencontainers.image.licenses="Apache-2.0"
RUN groupadd --system --gid 10001 backship \
    && useradd --system --uid 10001 --gid backship --no-create-home --home-dir /var/lib/backship backship \
    && install --directory --owner backship --group backship /var/lib/backship
COPY --from=build /opt/backship /opt/backship
ENV PATH="/opt/backship/bin:$PATH" PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1
USER 10001:10001
# Where the embedded default keeps its file, if no DATABASE_URL says otherwise: mount a volume here.
WORKDIR /var/lib/backship
STOPSIGNAL SIGTERM
ENTRYPOINT ["backship"]
CMD ["worker"]
