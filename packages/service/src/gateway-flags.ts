/** What Node is told wherever the gateway is started (ADR 25, 33 to 36); a test holds every command to it. */
export const GATEWAY_FLAGS = [
  '--max-semi-space-size=16',
  '--no-allocation-site-pretenuring',
  '--v8-pool-size=1',
  '--heap-growing-percent=100',
  '--expose-gc',
];
