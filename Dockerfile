# The images of both services: `make images` bundles them into dist first, then builds the targets webhook and signer. In them
# are Node, the libraries that it needs and one bundle: no shell, no package manager, and nothing that is written to.

# Any image with glibc and Node 26 in its PATH. Releases give it by digest (node:26-slim@sha256:...), so that it cannot change.
ARG BASE=node:26-slim

FROM ${BASE} AS node
USER 0:0
COPY build/root-filesystem.ts build/node-files.ts build/tar.ts /build/
RUN ["node", "/build/root-filesystem.ts", "/root-filesystem"]

FROM scratch AS service
COPY --from=node /root-filesystem/ /
ENV PATH=/usr/local/bin NODE_ENV=production
USER 65532:65532
WORKDIR /
ARG VERSION=unknown
LABEL org.opencontainers.image.version=${VERSION}

FROM service AS webhook
LABEL org.opencontainers.image.title=countersign-webhook
LABEL org.opencontainers.image.description="Refuses CertificateSigningRequests whose requester may not use the issuer"
COPY dist/webhook/ /app/
ENTRYPOINT ["/usr/local/bin/node", "/app/webhook.mjs"]

FROM service AS signer
LABEL org.opencontainers.image.title=countersign-signer
LABEL org.opencontainers.image.description="Signs CertificateSigningRequests with cert-manager's Issuers"
COPY dist/signer/ /app/
ENTRYPOINT ["/usr/local/bin/node", "/app/signer.mjs"]
