#!/bin/sh
# Has Node keep, in the folder NODE_COMPILE_CACHE, what it makes of the sources of the gateway's two threads: one that strips
# types itself keeps 17 MiB for that. Both end by themselves once all is loaded, as there is neither an environment nor a thread.
set -eu
cd "$(dirname "$0")/.."

load() {
  env -i PATH="$PATH" NODE_ENV=production NODE_COMPILE_CACHE="$NODE_COMPILE_CACHE" \
    node --max-semi-space-size=16 --no-allocation-site-pretenuring --v8-pool-size=1 --heap-growing-percent=100 --expose-gc "$1" 2>&1 || true
}

load gateway/src/main.ts | grep -q 'The environment does not allow a start'
load gateway/src/planning/planning-thread.ts | grep -q 'Wanted to be a thread'
