# One image holds every Kindred service; the command chooses which one runs.
FROM node:24-bookworm-slim AS build
RUN apt-get update \
 && apt-get install -y --no-install-recommends g++ cmake make libfaiss-dev libopenblas-dev \
 && rm -rf /var/lib/apt/lists/*
WORKDIR /app
COPY . .
ENV NEXT_TELEMETRY_DISABLED=1
RUN npm ci && npm run generate && npm run build \
 && node core/native/build.mjs --faiss-avx2 \
 && rm -rf ~/.cache/kindred node_modules/.cache .turbo web/.next/cache

FROM node:24-bookworm-slim
RUN apt-get update \
 && apt-get install -y --no-install-recommends libopenblas0-pthread libgomp1 libvulkan1 \
 && rm -rf /var/lib/apt/lists/* \
 && install -d -o node -g node /var/cache/kindred /var/cache/node
WORKDIR /app
COPY --from=build /app /app
USER node
ENV NODE_COMPILE_CACHE=/var/cache/node
RUN gateway/fill-compile-cache.sh
ENV NODE_ENV=production HOST=0.0.0.0 CACHE_DIR=/var/cache/kindred NEXT_TELEMETRY_DISABLED=1 OMP_WAIT_POLICY=passive NVIDIA_DRIVER_CAPABILITIES=compute,graphics,utility
CMD ["node", "--max-semi-space-size=16", "--no-allocation-site-pretenuring", "--v8-pool-size=1", "--heap-growing-percent=100", "--expose-gc", "gateway/src/main.ts"]
