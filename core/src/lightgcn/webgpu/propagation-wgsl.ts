import { rowKernel } from './row-wgsl.ts';

/** The constants of one layer; see `createDevicePropagation`. */
const LAYER = /* wgsl */ `
struct Layer { own: f32, neighbors: f32, isLast: u32, count: u32, stride: u32, lanes: u32 }
@group(0) @binding(0) var<uniform> layer: Layer;
`;

const FINISH = /* wgsl */ `
${LAYER}
fn finish(own: vec4f, sum: vec4f, degree: u32) -> vec4f {
  let mean = sum * (layer.neighbors / f32(max(1u, degree)));
  let value = layer.own * own + mean;
  if (layer.isLast == 1u) { return value * sqrt(f32(max(1u, degree))); }
  return value;
}
`;

/** output = D^-1/2 input, row by row: the basis in which a layer is a plain mean over neighbours. */
export const SCALE_BY_DEGREE = rowKernel(
  'layer',
  /* wgsl */ `
${LAYER}
@group(0) @binding(1) var<storage, read> offsets: array<u32>;
@group(0) @binding(2) var<storage, read> input: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> output: array<vec4f>;
`,
  /* wgsl */ `
  if (row + 1u >= arrayLength(&offsets)) { return; }
  let scale = 1.0 / sqrt(max(1.0, f32(offsets[row + 1u] - offsets[row])));
  for (var column = lane; column < stride; column += lanes) {
    output[row * stride + column] = scale * input[row * stride + column];
  }
`,
);

/**
 * One layer over segments of the graph's rows: output = own * start + neighbors * mean over the neighbours in `table`, in the
 * last layer times D^1/2. Rows of more than one segment leave the sums of their parts, which `sumLongRows` completes.
 */
export const SUM_SEGMENTS = rowKernel(
  'layer',
  /* wgsl */ `
${FINISH}
@group(0) @binding(1) var<storage, read> segments: array<vec4u>;
@group(0) @binding(2) var<storage, read> neighbors: array<u32>;
@group(0) @binding(3) var<storage, read> start: array<vec4f>;
@group(0) @binding(4) var<storage, read> table: array<vec4f>;
@group(0) @binding(5) var<storage, read_write> output: array<vec4f>;
@group(0) @binding(6) var<storage, read_write> parts: array<vec4f>;
`,
  /* wgsl */ `
  if (row >= layer.count) { return; }
  let segment = segments[row];
  let first = segment.y;
  let last = segment.z;
  for (var column = lane; column < stride; column += lanes) {
    var sum0 = vec4f();
    var sum1 = vec4f();
    var sum2 = vec4f();
    var sum3 = vec4f();
    var edge = first;
    for (; edge + 4u <= last; edge += 4u) {
      sum0 += table[neighbors[edge] * stride + column];
      sum1 += table[neighbors[edge + 1u] * stride + column];
      sum2 += table[neighbors[edge + 2u] * stride + column];
      sum3 += table[neighbors[edge + 3u] * stride + column];
    }
    for (; edge < last; edge++) { sum0 += table[neighbors[edge] * stride + column]; }
    let sum = (sum0 + sum1) + (sum2 + sum3);
    if (segment.w > 0u) {
      parts[(segment.w - 1u) * stride + column] = sum;
    } else {
      let at = segment.x * stride + column;
      output[at] = finish(start[at], sum, last - first);
    }
  }
`,
);

/** Completes the rows of more than one segment: node, first and last part, degree. */
export const SUM_LONG_ROWS = rowKernel(
  'layer',
  /* wgsl */ `
${FINISH}
@group(0) @binding(1) var<storage, read> longRows: array<vec4u>;
@group(0) @binding(2) var<storage, read> start: array<vec4f>;
@group(0) @binding(3) var<storage, read> parts: array<vec4f>;
@group(0) @binding(4) var<storage, read_write> output: array<vec4f>;
`,
  /* wgsl */ `
  if (row >= arrayLength(&longRows)) { return; }
  let long = longRows[row];
  for (var column = lane; column < stride; column += lanes) {
    var sum = vec4f();
    for (var part = long.y; part < long.z; part++) { sum += parts[part * stride + column]; }
    let at = long.x * stride + column;
    output[at] = finish(start[at], sum, long.w);
  }
`,
);
