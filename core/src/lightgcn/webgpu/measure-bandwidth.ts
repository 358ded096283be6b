import type { InteractionGraph } from '../graph.ts';
import { layerWeights } from '../propagate.ts';
import type { OpenDevice } from './device.ts';
import { createKernel } from './kernel.ts';
import { createMemory, type DeviceMemory } from './memory.ts';
import { createDevicePropagation } from './propagation.ts';
import { createRowPacking, shapeRows } from './row-shape.ts';

/** How fast one propagation layer moves bytes on a device, beside what the device's memory gives. */
interface DeviceBandwidth {
  readonly layerSeconds: number;
  /** Bytes of neighbours' rows, edges and results of one layer, over its seconds; caches may serve rows that come again. */
  readonly layerBytesPerSecond: number;
  /** Bytes that a triad (a = b + s * c) over tables too long for caches reads and writes, over its seconds. */
  readonly triadBytesPerSecond: number;
  /** Whether the device's own clock took the times; else the host's, with the submission. */
  readonly isDeviceClock: boolean;
}

/** Bytes of each of the triad's tables, where the device binds as many. */
const TRIAD_BYTES = 2 ** 28;

const TRIAD = /* wgsl */ `
@group(0) @binding(0) var<storage, read> left: array<vec4f>;
@group(0) @binding(1) var<storage, read> right: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> sum: array<vec4f>;

@compute @workgroup_size(256)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let at = (group.y * groups.x + group.x) * 256u + thread;
  if (at < arrayLength(&sum)) { sum[at] = left[at] + 3.0 * right[at]; }
}
`;

/** The best of `rounds` rounds of a layer over the graph and a triad, in turns so that what slows the device slows both. */
export async function measureDeviceBandwidth(
  open: OpenDevice,
  graph: InteractionGraph,
  size: { readonly dimension: number; readonly rounds: number; readonly triadBytes?: number },
): Promise<DeviceBandwidth> {
  const memory = createMemory(open);
  try {
    const shape = shapeRows(size.dimension);
    const { sizeBytes: tableBytes } = createRowPacking(size.dimension, shape.stride, graph.nodeCount);
    const propagation = createDevicePropagation(open, memory, { graph, shape, weights: layerWeights([0, 1]) });
    const output = memory.allocate('the vectors of a layer', tableBytes);
    const triadBytes = Math.floor(Math.min(size.triadBytes ?? TRIAD_BYTES, open.mostBytes) / 16) * 16;
    const tables = ['b', 'c', 'a'].map((name) => memory.allocate(`table ${name} of the triad`, triadBytes));
    const triad = createKernel(open, TRIAD);
    const time = createClock(open, memory);
    const [layer, sum] = [
      (pass: GPUComputePassEncoder) => propagation.encodeLayer(pass, output),
      (pass: GPUComputePassEncoder) => triad.run(pass, tables, Math.ceil(triadBytes / 16 / 256)),
    ];
    let [layerSeconds, triadSeconds] = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY];
    for (let round = 0; round < size.rounds; round++) {
      layerSeconds = Math.min(layerSeconds, await measureOne(time, layer));
      triadSeconds = Math.min(triadSeconds, await measureOne(time, sum));
    }
    const rowBytes = shape.stride * 16;
    const layerBytes = graph.neighbors.length * (rowBytes + 4) + 2 * tableBytes;
    return {
      layerSeconds,
      layerBytesPerSecond: layerBytes / layerSeconds,
      triadBytesPerSecond: (3 * triadBytes) / triadSeconds,
      isDeviceClock: time.isDeviceClock,
    };
  } finally {
    memory.close();
  }
}

/** Devices' clocks are told in steps of up to 0.1 ms, so that pages cannot spy by them: what is timed takes many of those. */
const LEAST_SECONDS = 0.02;
const MOST_REPEATS = 100_000;

/** Seconds of one of as many dispatches as take `LEAST_SECONDS` together. */
async function measureOne(clock: Clock, encode: (pass: GPUComputePassEncoder) => void): Promise<number> {
  for (let repeats = 1; ; repeats *= 10) {
    const seconds = await clock.measure((pass) => {
      for (let repeat = 0; repeat < repeats; repeat++) encode(pass);
    });
    if (seconds >= LEAST_SECONDS || repeats >= MOST_REPEATS) return seconds / repeats;
  }
}

interface Clock {
  readonly isDeviceClock: boolean;
  /** Seconds of one pass. */
  measure(encode: (pass: GPUComputePassEncoder) => void): Promise<number>;
}

/** Usages of WebGPU's specification that only timestamps need. */
const QUERY_RESOLVE = 0x200;
const COPY_SOURCE = 0x4;

function createClock({ device }: OpenDevice, memory: DeviceMemory): Clock {
  const run = (encode: (pass: GPUComputePassEncoder) => void, descriptor: GPUComputePassDescriptor) => {
    const encoder = device.createCommandEncoder();
    const pass = encoder.beginComputePass(descriptor);
    encode(pass);
    pass.end();
    return encoder;
  };
  if (!device.features.has('timestamp-query')) {
    const measure: Clock['measure'] = async (encode) => {
      const began = performance.now();
      device.queue.submit([run(encode, {}).finish()]);
      await device.queue.onSubmittedWorkDone();
      return (performance.now() - began) / 1000;
    };
    return { isDeviceClock: false, measure };
  }
  const querySet = device.createQuerySet({ type: 'timestamp', count: 2 });
  const times = device.createBuffer({ size: 16, usage: QUERY_RESOLVE | COPY_SOURCE });
  const measure: Clock['measure'] = async (encode) => {
    const timestampWrites = { querySet, beginningOfPassWriteIndex: 0, endOfPassWriteIndex: 1 };
    const encoder = run(encode, { timestampWrites });
    encoder.resolveQuerySet(querySet, 0, 2, times, 0);
    device.queue.submit([encoder.finish()]);
    return memory.read(times, 16, ({ buffer }) => {
      const [began = 0n, ended = 0n] = new BigUint64Array(buffer);
      return Number(ended - began) / 1e9;
    });
  };
  return { isDeviceClock: true, measure };
}
