# The images of the services. `make images` bundles them into dist, then builds a target for each: webhook, signer, approver. An image
# contains Node, its shared libraries and one bundle: no shell, no package manager, no writable files.

# Any image with glibc and Node 26 in its PATH. Releases pin it by digest (node:26-slim@sha256:...).
ARG BASE=node:26-slim

FROM ${BASE} AS node
USER 0:0
COPY build/root-filesystem.ts build/node-files.ts build/compile.ts /build/
RUN ["node", "/build/root-filesystem.ts", "/root-filesystem"]

FROM scratch AS service
COPY --from=node /root-filesystem/ /
ENV PATH=/usr/local/bin NODE_ENV=production NODE_COMPILE_CACHE=/app/compile-cache NODE_COMPILE_CACHE_PORTABLE=1 MALLOC_ARENA_MAX=1 MALLOC_TRIM_THRESHOLD_=131072
USER 65532:65532
WORKDIR /
ARG VERSION=unknown
LABEL org.opencontainers.image.version=${VERSION}
LABEL org.opencontainers.image.licenses=Apache-2.0

FROM node AS compiled-webhook
COPY dist/webhook/ /app/
RUN ["node", "/build/compile.ts", "/app/webhook.mjs"]

FROM service AS webhook
LABEL org.opencontainers.image.title=countersign-webhook
LABEL org.opencontainers.image.description="Rejects CertificateSigningRequests from requesters who may not use the issuer"
COPY --from=compiled-webhook /app/ /app/
ENTRYPOINT ["/usr/local/bin/node", "--efficiency-mode", "--memory-saver-mode", "--max-semi-space-size=8", "--heap-growing-percent=80", "/app/webhook.mjs"]

FROM node AS compiled-signer
COPY dist/signer/ /app/
RUN ["node", "/build/compile.ts", "/app/signer.mjs"]

FROM service AS signer
LABEL org.opencontainers.image.title=countersign-signer
LABEL org.opencontainers.image.description="Signs CertificateSigningRequests with cert-manager's Issuers"
COPY --from=compiled-signer /app/ /app/
ENTRYPOINT ["/usr/local/bin/node", "--efficiency-mode", "--memory-saver-mode", "--max-semi-space-size=8", "--heap-growing-percent=80", "/app/signer.mjs"]

FROM node AS compiled-approver
COPY dist/approver/ /app/
RUN ["node", "/build/compile.ts", "/app/approver.mjs"]

FROM service AS approver
LABEL org.opencontainers.image.title=countersign-approver
LABEL org.opencontainers.image.description="Approves CertificateSigningRequests by policy"
COPY --from=compiled-approver /app/ /app/
ENTRYPOINT ["/usr/local/bin/node", "--efficiency-mode", "--memory-saver-mode", "--max-semi-space-size=8", "--heap-growing-percent=80", "/app/approver.mjs"]
