# The controller in a container. infra/container/build builds it with what this machine knows of proxies and
# certificates; where nothing of the kind is needed, so does
#
#     podman build --format docker --tag otto .
#
# (--format docker: Podman's own format has no place for a health check and leaves it out.)
# How to run it: docs/how-to/container.md.

# A Debian-based image, 12 or newer. Its Python is used if it has one, Debian's is installed if not.
ARG BASE=python:3.11-slim-bookworm

# Terraform or OpenTofu, as no Debian package has them: --build-context terraform=FOLDER takes this stage's
# place, and what FOLDER holds goes on the PATH. Without it, mount the program into /opt/terraform.
FROM scratch AS terraform
COPY infra/container/terraform.txt /

FROM ${BASE} AS system
LABEL org.opencontainers.image.title=OttO
RUN --mount=type=bind,source=infra/container,target=/tmp/container \
    --mount=type=secret,id=apt --mount=type=secret,id=ca \
    sh /tmp/container/system

FROM system AS build
LABEL org.opencontainers.image.title=OttO
# What is locked changes seldom and takes long, what is ours changes often and takes a moment.
COPY requirements.lock infra/setup/bootstrap.lock infra/container/install /src/
RUN --mount=type=secret,id=apt --mount=type=secret,id=pip --mount=type=secret,id=ca \
    sh /src/install locked
COPY . /src/otto
RUN sh /src/install own

FROM system
LABEL org.opencontainers.image.title=OttO \
      org.opencontainers.image.description="Brings web sites to life from specs in git, and keeps them that way" \
      org.opencontainers.image.licenses=Apache-2.0
COPY --from=terraform . /opt/terraform/
COPY --from=build /opt/otto /opt/otto
COPY infra/container/entrypoint infra/container/healthy /usr/local/lib/otto/
# Everything that is written lies below the one volume; the root file system may be read-only.
ENV PATH=/opt/otto/bin:/opt/terraform:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
    LANG=C.UTF-8 \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    HOME=/var/lib/otto \
    TMPDIR=/var/lib/otto/tmp \
    OTTO_HOME=/var/lib/otto/home
WORKDIR /var/lib/otto
VOLUME /var/lib/otto
# Any other user will do as well, in group 0: --user 12345:0.
USER 1000:0
EXPOSE 7070
# Whatever the base says: OttO ends in order on it.
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=15s --timeout=5s --start-period=60s --retries=3 CMD ["/usr/local/lib/otto/healthy"]
# tini passes signals on and buries what outlives its parent, as the first process has to.
ENTRYPOINT ["/usr/bin/tini", "--", "/usr/local/lib/otto/entrypoint"]
CMD ["up"]
