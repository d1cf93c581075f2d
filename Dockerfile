# The version is the tag that is checked out, or what --build-arg VERSION=… says.
FROM golang:1.26-bookworm AS build
WORKDIR /src
# Before the sources, so that a change to them does not fetch the modules again.
COPY go.mod go.sum ./
RUN go mod download
COPY . .
ARG VERSION
RUN make static ${VERSION:+VERSION="$VERSION"}
# Certificates are for TLS connections to Postgres, /tmp for sqlite::memory: and SQLite's own files.
RUN install -D bin/static/opencalls /image/usr/bin/opencalls && \
    install -D -m 0644 /etc/ssl/certs/ca-certificates.crt /image/etc/ssl/certs/ca-certificates.crt && \
    echo "opencalls:x:10001:10001::/data:/" >/image/etc/passwd && \
    echo "opencalls:x:10001:" >/image/etc/group && \
    install -d -m 1777 /image/tmp && \
    install -d -o 10001 -g 10001 /image/data

FROM scratch
COPY --from=build /image /
# By number: Kubernetes can't tell that a name is not root's (runAsNonRoot).
USER 10001:10001
WORKDIR /data
VOLUME /data
ENV PATH=/usr/bin \
    OPENCALLS_DATABASE_URL=sqlite:/data/opencalls.db \
    OPENCALLS_LISTEN=0.0.0.0:8080
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s CMD ["opencalls", "health"]
ENTRYPOINT ["opencalls"]
CMD ["serve"]
