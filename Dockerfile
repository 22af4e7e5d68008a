# golive's images. Target `golive` (the default): the pods of a run, master and worker. Target `platform`: the rehearsal
# platform alone. Target `sbom`: the golive image's bill of materials as a file. docs/image.md says how to build them,
# with a registry and without one.

# The base of what runs. A tag moves: pin it by digest, BASE=…/python:3.11-slim-bookworm@sha256:…
ARG BASE=docker.io/library/python:3.11-slim-bookworm
# What compiles; nothing of it is left in an image. Debian 12, so that the C library is the base's.
ARG TOOLCHAIN=docker.io/library/rust:1.88-slim-bookworm
# `built`: compiled and downloaded here. `given`: brought along in dist/image (`make image`), so without a network.
ARG WHEELS=built

# --- built: compiled and downloaded here ---------------------------------------------------------------------------
FROM ${TOOLCHAIN} AS toolchain
RUN apt-get update -qq \
 && apt-get install -qq -y --no-install-recommends python3-venv \
 && rm -rf /var/lib/apt/lists/* \
 && python3 -m venv /venv
ENV VIRTUAL_ENV=/venv PATH=/venv/bin:$PATH PIP_DISABLE_PIP_VERSION_CHECK=1
WORKDIR /source

FROM toolchain AS packages-built
COPY requirements/pod.txt requirements/
RUN pip download -q --no-cache-dir --no-deps --only-binary :all: --require-hashes -r requirements/pod.txt -d /packages

FROM toolchain AS golive-built
COPY requirements/build.txt requirements/
RUN pip install -q --no-cache-dir --require-hashes -r requirements/build.txt
COPY engine engine
COPY pyproject.toml README.md LICENSE ./
COPY slo slo
COPY scenarios scenarios
COPY analysis analysis
COPY loadtest loadtest
RUN --mount=type=cache,target=/usr/local/cargo/registry --mount=type=cache,target=/source/target \
    CARGO_TARGET_DIR=/source/target maturin build -q --release --locked -o /golive \
 && cargo metadata --manifest-path engine/Cargo.toml --locked --format-version 1 \
    --filter-platform "$(rustc -vV | sed -n 's/^host: //p')" > /golive/crates.json

FROM toolchain AS platform-built
COPY engine engine
# The target named makes the C library part of the program, and only of the program: it runs where there is nothing.
RUN --mount=type=cache,target=/usr/local/cargo/registry --mount=type=cache,target=/source/target \
    host=$(rustc -vV | sed -n 's/^host: //p') \
 && CARGO_TARGET_DIR=/source/target RUSTFLAGS='-C target-feature=+crt-static' \
    cargo build -q --release --locked --manifest-path engine/Cargo.toml -p golive-platform --target "$host" \
 && install -D -m 755 "target/$host/release/golive-rehearsal" /platform/golive-rehearsal \
 && cargo metadata --manifest-path engine/Cargo.toml --locked --format-version 1 --filter-platform "$host" \
    > /platform/crates.json

# --- given: brought along ------------------------------------------------------------------------------------------
FROM scratch AS packages-given
COPY dist/image/packages /packages

FROM scratch AS golive-given
COPY dist/image/golive /golive

FROM scratch AS platform-given
COPY dist/image/platform /platform

# --- installed -----------------------------------------------------------------------------------------------------
FROM packages-${WHEELS} AS packages
FROM golive-${WHEELS} AS wheel
FROM platform-${WHEELS} AS rehearsal

FROM ${BASE} AS installer
RUN python3 -m venv /installer && python3 -m venv --without-pip /opt/golive
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_NO_INDEX=1 PIP_PYTHON=/opt/golive/bin/python

FROM installer AS locked
COPY requirements/pod.txt /requirements/
COPY --from=packages /packages /packages
# The packages' own tests are run by nobody here.
RUN /installer/bin/pip install -q --no-compile --no-deps --require-hashes --find-links /packages -r /requirements/pod.txt \
 && find /opt/golive/lib -type d -name tests -prune -exec rm -rf {} +
# A pod cannot keep bytecode: without this a master spends three seconds more of CPU on starting (docs/image.md).
COPY scripts/image/bytecode.py /
RUN /opt/golive/bin/python /bytecode.py locust flask_login hdrh.histogram jinja2 kubernetes.client.api.apps_v1_api \
    kubernetes.client.api.autoscaling_v2_api kubernetes.client.api.core_v1_api kubernetes.config kubernetes.stream \
    pandas prometheus_api_client.prometheus_connect pyarrow.parquet pydantic.type_adapter rich.progress scipy.stats yaml

FROM locked AS product
COPY --from=wheel /golive /golive
RUN /installer/bin/pip install -q --no-compile --no-deps --prefix /product /golive/*.whl \
 && python3 -m compileall -q --invalidation-mode unchecked-hash -s /product -p /opt/golive /product

# --- bills of materials --------------------------------------------------------------------------------------------
FROM product AS bill
ARG VERSION=unknown
COPY scripts/image/sbom.py engine/Cargo.lock /bill/
RUN python3 /bill/sbom.py golive "$VERSION" --out /sbom.cdx.json --root / \
    --crates /golive/crates.json --crate golive-engine-python --lock /bill/Cargo.lock \
    $(for site in /opt/golive/lib/python3*/site-packages /product/lib/python3*/site-packages; do echo "--site $site"; done) \
    --wheels /packages --wheels /golive

FROM installer AS platform-bill
ARG VERSION=unknown
COPY --from=rehearsal /platform/crates.json /bill/
COPY scripts/image/sbom.py engine/Cargo.lock /bill/
RUN python3 /bill/sbom.py golive-platform "$VERSION" --out /sbom.cdx.json \
    --crates /bill/crates.json --crate golive-platform --lock /bill/Cargo.lock

FROM scratch AS sbom
COPY --from=bill /sbom.cdx.json /golive.cdx.json

# --- the images ----------------------------------------------------------------------------------------------------
FROM scratch AS platform
ARG VERSION=unknown
ARG REVISION=unknown
ARG SOURCE=unknown
LABEL org.opencontainers.image.title="golive-platform" \
      org.opencontainers.image.description="golive's rehearsal platform: a small, honest stand-in with finite capacity" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.source="${SOURCE}" \
      org.opencontainers.image.licenses="Apache-2.0"
COPY --from=rehearsal /platform/golive-rehearsal /usr/bin/golive-rehearsal
COPY --from=platform-bill /sbom.cdx.json /opt/golive/sbom.cdx.json
USER 10001:10001
ENTRYPOINT ["/usr/bin/golive-rehearsal"]

FROM ${BASE} AS golive
# A name for the user, no program of the base that gives its caller another one, and bytecode of Python's own modules.
RUN echo 'golive:x:10001:10001:golive:/tmp:/usr/sbin/nologin' >> /etc/passwd \
 && echo 'golive:x:10001:' >> /etc/group \
 && find / -xdev -type f -perm /6000 -exec chmod a-s {} + \
 && python3 -m compileall -q --invalidation-mode unchecked-hash -x '/((site|dist)-packages|lib2to3|tests?)/' \
    "$(python3 -c 'import sysconfig; print(sysconfig.get_path("stdlib"))')"
COPY --from=locked /opt/golive /opt/golive
COPY --from=product /product /opt/golive
COPY --from=bill /sbom.cdx.json /opt/golive/sbom.cdx.json
ENV PATH=/opt/golive/bin:/usr/local/bin:/usr/bin:/bin \
    HOME=/tmp \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1
USER 10001:10001
WORKDIR /tmp
ENTRYPOINT ["golive-pod"]
ARG BASE
ARG VERSION=unknown
ARG REVISION=unknown
ARG SOURCE=unknown
LABEL org.opencontainers.image.title="golive" \
      org.opencontainers.image.description="Load-testing and SLO-validation harness: the pods of a run" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.source="${SOURCE}" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.base.name="${BASE}"
