import { openDevice } from '@kindred/core/lightgcn/webgpu/device';

/**
 * Says in a line of JSON whether a GPU computes here, as a training that chooses by itself would find: `{ "gpuName": … }`, or
 * `{ "gpuName": null, "reason": … }`. In a process of its own, since a driver that breaks takes its process with it.
 */
const answer = await openDevice({ needsHardware: true }).then(
  ({ name, device }) => {
    device.destroy();
    return { gpuName: name };
  },
  (error: unknown) => ({ gpuName: null, reason: error instanceof Error ? error.message : String(error) }),
);
process.stdout.write(`${JSON.stringify(answer)}\n`, () => process.exit(0));
