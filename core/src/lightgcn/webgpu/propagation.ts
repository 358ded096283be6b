import type { InteractionGraph } from '../graph.ts';
import type { OpenDevice } from './device.ts';
import { createKernel } from './kernel.ts';
import type { DeviceMemory } from './memory.ts';
import { SCALE_BY_DEGREE, SUM_LONG_ROWS, SUM_SEGMENTS } from './propagation-wgsl.ts';
import type { RowShape } from './row-shape.ts';

/** Propagation on the device: sum over k of weights[k] * Â^k of a table, as `createPropagation` on the host. */
export interface DevicePropagation {
  /** Adds the propagation of `input` to the commands; both may be one buffer. */
  encode(encoder: GPUCommandEncoder, input: GPUBuffer, output: GPUBuffer): void;
  /** Adds one layer over the table that was propagated last, for benchmarks; without layers nothing. */
  encodeLayer(pass: GPUComputePassEncoder, output: GPUBuffer): void;
}

/**
 * Edges that one group of threads sums: enough to hide the start of a row, few enough that no popular item keeps the device
 * waiting.
 */
const SEGMENT_EDGES = 256;

export function createDevicePropagation(
  open: OpenDevice,
  memory: DeviceMemory,
  model: { readonly graph: InteractionGraph; readonly shape: RowShape; readonly weights: readonly number[] },
): DevicePropagation {
  const { graph, shape, weights } = model;
  const deepest = weights.length - 1;
  const tableBytes = graph.nodeCount * shape.stride * 16;
  if (deepest === 0) {
    // The weights sum to 1: without layers the final vectors are the ego vectors.
    const encode = (encoder: GPUCommandEncoder, input: GPUBuffer, output: GPUBuffer) => {
      if (input !== output) encoder.copyBufferToBuffer(input, 0, output, 0, tableBytes);
    };
    return { encode, encodeLayer: () => undefined };
  }
  const { segments, longRows, partCount } = cutRows(graph.offsets);
  const segmentCount = segments.length / 4;
  const offsets = memory.hold("the graph's offsets", Uint32Array.from(graph.offsets));
  const neighbors = memory.hold("the graph's edges", Uint32Array.from(graph.neighbors));
  const segmentBuffer = memory.hold("the graph's segments", segments);
  const longBuffer = memory.hold("the graph's long rows", longRows);
  const parts = memory.allocate('the sums of segments', partCount * shape.stride * 16);
  const scaled = memory.allocate('the scaled vectors', tableBytes);
  const scratch = Array.from({ length: Math.min(2, deepest - 1) }, (_, index) =>
    memory.allocate(`the vectors between layers ${index}`, tableBytes),
  );
  const scale = createKernel(open, SCALE_BY_DEGREE);
  const sum = createKernel(open, SUM_SEGMENTS);
  const complete = createKernel(open, SUM_LONG_ROWS);
  // Horner's rule: y <- weights[k] y0 + D^-1 A y for k = K - 1 .. 0, the first with y = weights[K] y0.
  const layers = Array.from({ length: deepest }, (_, index) => {
    const bytes = new ArrayBuffer(32);
    const first = index === 0 ? (weights[deepest] ?? 0) : 1;
    new Float32Array(bytes).set([weights[deepest - 1 - index] ?? 0, first]);
    new Uint32Array(bytes, 8).set([index === deepest - 1 ? 1 : 0, segmentCount, shape.stride, shape.lanes]);
    return memory.hold('the constants of a layer', bytes);
  });
  const encodeOne = (pass: GPUComputePassEncoder, layer: GPUBuffer, table: GPUBuffer, output: GPUBuffer) => {
    const buffers = [layer, segmentBuffer, neighbors, scaled, table, output, parts];
    sum.run(pass, buffers, Math.ceil(segmentCount / shape.rows));
    if (longRows.length > 0) {
      complete.run(pass, [layer, longBuffer, scaled, parts, output], Math.ceil(longRows.length / 4 / shape.rows));
    }
  };
  return {
    encode: (encoder, input, output) => {
      const pass = encoder.beginComputePass();
      if (layers[0]) scale.run(pass, [layers[0], offsets, input, scaled], Math.ceil(graph.nodeCount / shape.rows));
      let table = scaled;
      layers.forEach((layer, index) => {
        const next = index === deepest - 1 ? output : (scratch[index % 2] ?? output);
        encodeOne(pass, layer, table, next);
        table = next;
      });
      pass.end();
    },
    encodeLayer: (pass, output) => {
      if (layers[0]) encodeOne(pass, layers[0], scaled, output);
    },
  };
}

/**
 * The rows of the graph in segments of up to `SEGMENT_EDGES` edges, longest first so that groups which share a workgroup take
 * equally long: node, first and last edge, and 0 for a whole row or 1 + the place of the part. `longRows`: node, first and
 * last part, degree.
 */
function cutRows(offsets: Int32Array): {
  segments: Uint32Array<ArrayBuffer>;
  longRows: Uint32Array<ArrayBuffer>;
  partCount: number;
} {
  const parts: [node: number, first: number, last: number, place: number][] = [];
  const longRows: number[] = [];
  let partCount = 0;
  for (let node = 0; node + 1 < offsets.length; node++) {
    const first = offsets[node] ?? 0;
    const last = offsets[node + 1] ?? 0;
    if (last - first <= SEGMENT_EDGES) {
      parts.push([node, first, last, 0]);
      continue;
    }
    const firstPart = partCount;
    for (let start = first; start < last; start += SEGMENT_EDGES) {
      parts.push([node, start, Math.min(last, start + SEGMENT_EDGES), ++partCount]);
    }
    longRows.push(node, firstPart, partCount, last - first);
  }
  parts.sort((one, other) => other[2] - other[1] - (one[2] - one[1]) || one[1] - other[1]);
  return { segments: Uint32Array.from(parts.flat()), longRows: Uint32Array.from(longRows), partCount };
}
