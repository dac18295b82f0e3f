# The operator's image. hack/image packs the same content without a container
# engine; keep the two alike.
FROM --platform=$BUILDPLATFORM golang:1.26 AS build
ARG TARGETOS TARGETARCH VERSION=dev
WORKDIR /src

# Modules change rarely: their own layer.
COPY go.mod go.sum ./
RUN go mod download

COPY api/ api/
COPY cmd/ cmd/
COPY internal/ internal/
RUN CGO_ENABLED=0 GOOS=$TARGETOS GOARCH=$TARGETARCH \
    go build -trimpath -ldflags "-s -w -X main.version=$VERSION" -o /image/manager ./cmd/manager

# What the Go standard library looks up, and the folders the operator writes to.
RUN mkdir -p /image/etc/ssl/certs /image/tmp /cache \
 && printf 'root:x:0:0:root:/:/sbin/nologin\nnonroot:x:65532:65532:nonroot:/:/sbin/nologin\n' >/image/etc/passwd \
 && printf 'root:x:0:\nnonroot:x:65532:\n' >/image/etc/group \
 && cp /etc/ssl/certs/ca-certificates.crt /image/etc/ssl/certs/ \
 && chmod 1777 /image/tmp

FROM scratch
COPY --from=build /image/ /
COPY --from=build --chown=65532:65532 /cache/ /var/cache/k1s/
USER 65532:65532
ENTRYPOINT ["/manager"]
