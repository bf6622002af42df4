# The gateway as one bundled file on Debian slim. No embedded database, no simulators, no build tools in the image.
ARG NODE_IMAGE=node:24-bookworm-slim

FROM ${NODE_IMAGE} AS build
WORKDIR /build
COPY package.json package-lock.json ./
COPY packages ./packages
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY src ./src
COPY docs ./docs
COPY scripts ./scripts
RUN node scripts/patch-postgres.mjs && node --no-warnings scripts/build.ts && node --no-warnings scripts/build-pages.ts

FROM ${NODE_IMAGE}
LABEL org.opencontainers.image.title="ramp-gateway" \
      org.opencontainers.image.description="One gateway between a bitcoin wallet and every fiat ramp" \
      org.opencontainers.image.licenses="MIT"
# Keeps a busy gateway below 250 MB resident (bench/README.md): limits for what V8 keeps, and one arena for what is not V8's.
ENV NODE_ENV=production HOST=0.0.0.0 PORT=8787 APP_ROOT=/app NODE_OPTIONS="--max-semi-space-size=32 --max-old-space-size=512" MALLOC_ARENA_MAX=1
WORKDIR /app
COPY package.json ./
COPY providers.config.yaml ./providers.config.yaml
COPY migrations ./migrations
COPY --from=build /build/dist/site ./dist/site
COPY --from=build /build/dist/server.mjs ./dist/server.mjs
# The operator's commands: `ramp help` lists them.
COPY --from=build /build/dist/ramp.mjs ./dist/ramp.mjs
COPY scripts/ramp.sh /usr/local/bin/ramp
USER 1000:1000
EXPOSE 8787
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.PORT}/health/ready`).then((r)=>process.exit(r.ok?0:1),()=>process.exit(1))"]
# Flags that need no other value (docs/decisions/2026-11-30-speed.md): V8 does not shrink a young generation in which little survives, and does not
# create objects in the old one, where they would keep all that they point to.
CMD ["node", "--min-semi-space-size=32", "--no-allocation-site-pretenuring", "dist/server.mjs"]
