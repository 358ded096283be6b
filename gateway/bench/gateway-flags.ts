/** What our gateway is started with wherever it is deployed. */
export const GATEWAY_FLAGS = [
  '--max-semi-space-size=16',
  '--no-allocation-site-pretenuring',
  '--v8-pool-size=1',
  '--heap-growing-percent=100',
];
