FROM golang:1.26-bookworm AS build
WORKDIR /src
# Before the sources, so that a change to them does not fetch the modules again.
COPY go.mod go.sum ./
RUN go mod download
COPY . .
ARG VERSION=dev
RUN make build VERSION="$VERSION"

# The same Debian as above: the binary is linked with its C library.
FROM debian:bookworm-slim
# For TLS connections to Postgres.
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/
COPY --from=build /src/bin/opencalls /usr/local/bin/
RUN useradd --uid 10001 --no-create-home opencalls && install -d -o opencalls /data
USER opencalls
WORKDIR /data
VOLUME /data
ENV OPENCALLS_DATABASE_URL=sqlite:/data/opencalls.db \
    OPENCALLS_LISTEN=0.0.0.0:8080
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s CMD ["opencalls", "health"]
ENTRYPOINT ["opencalls"]
CMD ["serve"]
