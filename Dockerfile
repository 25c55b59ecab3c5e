# Builds the package from source, with all tools.
FROM node:24.21.0-bookworm-slim AS build
WORKDIR /build
COPY package.json package-lock.json .npmrc ./
RUN npm ci
COPY tsconfig.json LICENSE ./
COPY deploy/build.ts deploy/
COPY src src
RUN npm run build -- /app
# Permitted, not effective: where a container is refused CAP_NET_RAW, the program still starts, and does without the ring.
RUN apt-get update && apt-get install --yes --no-install-recommends libcap2-bin && setcap cap_net_raw+p /usr/local/bin/node

# Only the packages that run: no tools, no second Node.
FROM node:24.21.0-bookworm-slim AS packages
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci --omit=dev && rm --recursive node_modules/node-linux-* node_modules/.bin/node

FROM debian:bookworm-slim
LABEL org.opencontainers.image.title="mirrortap" \
      org.opencontainers.image.description="Receives AWS VPC Traffic Mirroring and keeps the mirrored packets in capture files." \
      org.opencontainers.image.licenses="Apache-2.0"
COPY --from=build /usr/local/bin/node /usr/local/bin/node
COPY --from=packages /app/node_modules /app/node_modules
COPY --from=build /app /app
# The default sink writes to ./captures.
RUN install --directory --owner=10001 --group=10001 --mode=0750 /var/lib/mirrortap /var/lib/mirrortap/captures
USER 10001:10001
WORKDIR /var/lib/mirrortap
VOLUME /var/lib/mirrortap/captures
ENV NODE_ENV=production
# VXLAN, GENEVE, and HTTP for health and metrics.
EXPOSE 4789/udp 6081/udp 8080/tcp
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=10s --retries=3 \
  CMD ["/usr/local/bin/node", "-e", "fetch(`http://127.0.0.1:${process.env.MIRRORTAP_HTTP__PORT ?? 8080}/healthz`).then((answer) => process.exit(answer.ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["/usr/local/bin/node", "/app/main.js"]
CMD ["receive"]
