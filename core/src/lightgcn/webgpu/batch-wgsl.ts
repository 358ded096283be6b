import { rowKernel, STEP_WGSL } from './row-wgsl.ts';

/** The loss of each triple and its slope by the margin, both over the batch size. */
export const SCORE_TRIPLES = rowKernel(
  'step',
  /* wgsl */ `
${STEP_WGSL}
@group(0) @binding(0) var<uniform> step: Step;
@group(0) @binding(1) var<storage, read> triples: array<vec4u>;
@group(0) @binding(2) var<storage, read> table: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> slopes: array<f32>;
@group(0) @binding(4) var<storage, read_write> parts: array<f32>;
`,
  /* wgsl */ `
  let isActive = row < step.tripleCount;
  let triple = triples[min(row, step.tripleCount - 1u)];
  var part = 0.0;
  for (var column = lane; column < stride; column += lanes) {
    let difference = table[triple.y * stride + column] - table[triple.z * stride + column];
    part += dot(table[triple.x * stride + column], difference);
  }
  let margin = sumLanes(thread, lanes, part);
  if (isActive && lane == 0u) {
    let small = exp(-abs(margin));
    slopes[row] = -step.inverseCount * select(1.0, small, margin > 0.0) / (1.0 + small);
    parts[row] = step.inverseCount * (max(-margin, 0.0) + log(1.0 + small));
  }
`,
);

/**
 * The gradient by the final vector of each slot's node, from lists of (2 * triple + whether it is taken off, other node): sums
 * in a fixed order, without atomics.
 */
export const SUM_TRIPLE_GRADIENTS = rowKernel(
  'step',
  /* wgsl */ `
${STEP_WGSL}
@group(0) @binding(0) var<uniform> step: Step;
@group(0) @binding(1) var<storage, read> nodes: array<u32>;
@group(0) @binding(2) var<storage, read> offsets: array<u32>;
@group(0) @binding(3) var<storage, read> terms: array<vec2u>;
@group(0) @binding(4) var<storage, read> slopes: array<f32>;
@group(0) @binding(5) var<storage, read> table: array<vec4f>;
@group(0) @binding(6) var<storage, read_write> gradient: array<vec4f>;
`,
  /* wgsl */ `
  if (row >= step.slotCount) { return; }
  for (var column = lane; column < stride; column += lanes) {
    var sum = vec4f();
    for (var at = offsets[row]; at < offsets[row + 1u]; at++) {
      let term = terms[at];
      let slope = slopes[term.x >> 1u];
      sum += select(slope, -slope, (term.x & 1u) == 1u) * table[term.y * stride + column];
    }
    gradient[nodes[row] * stride + column] = sum;
  }
`,
);

/** Each slot's part of the regularisation: decay / 2 * occurrences * the squared length of the ego vector. */
export const COUNT_DECAY = rowKernel(
  'step',
  /* wgsl */ `
${STEP_WGSL}
@group(0) @binding(0) var<uniform> step: Step;
@group(0) @binding(1) var<storage, read> nodes: array<u32>;
@group(0) @binding(2) var<storage, read> counts: array<u32>;
@group(0) @binding(3) var<storage, read> ego: array<vec4f>;
@group(0) @binding(4) var<storage, read_write> parts: array<f32>;
`,
  /* wgsl */ `
  let slot = min(row, step.slotCount - 1u);
  var part = 0.0;
  for (var column = lane; column < stride; column += lanes) {
    let own = ego[nodes[slot] * stride + column];
    part += dot(own, own);
  }
  let squares = sumLanes(thread, lanes, part);
  if (row < step.slotCount && lane == 0u) {
    parts[step.partCount - step.slotCount + row] = 0.5 * step.decay * f32(counts[row]) * squares;
  }
`,
);

/** Adds the gradient of the regularisation to that by the ego vectors. */
export const ADD_DECAY = rowKernel(
  'step',
  /* wgsl */ `
${STEP_WGSL}
@group(0) @binding(0) var<uniform> step: Step;
@group(0) @binding(1) var<storage, read> nodes: array<u32>;
@group(0) @binding(2) var<storage, read> counts: array<u32>;
@group(0) @binding(3) var<storage, read> ego: array<vec4f>;
@group(0) @binding(4) var<storage, read_write> gradient: array<vec4f>;
`,
  /* wgsl */ `
  if (row >= step.slotCount) { return; }
  let weight = step.decay * f32(counts[row]);
  for (var column = lane; column < stride; column += lanes) {
    let at = nodes[row] * stride + column;
    gradient[at] += weight * ego[at];
  }
`,
);

/** The sum of the loss's parts, by one workgroup in a fixed order. */
export const SUM_PARTS = /* wgsl */ `
${STEP_WGSL}
@group(0) @binding(0) var<uniform> step: Step;
@group(0) @binding(1) var<storage, read> parts: array<f32>;
@group(0) @binding(2) var<storage, read_write> losses: array<f32>;
var<workgroup> scratch: array<f32, 256>;

@compute @workgroup_size(256)
fn main(@builtin(local_invocation_index) thread: u32) {
  var sum = 0.0;
  for (var at = thread; at < step.partCount; at += 256u) { sum += parts[at]; }
  scratch[thread] = sum;
  workgroupBarrier();
  for (var width = 128u; width > 0u; width /= 2u) {
    if (thread < width) { scratch[thread] += scratch[thread + width]; }
    workgroupBarrier();
  }
  if (thread == 0u) { losses[step.lossIndex] = scratch[0]; }
}
`;

/** Adam's step (Kingma and Ba 2015) over all values of the table, four at a time. */
export const STEP_ADAM = /* wgsl */ `
struct Rates { rate: f32, rootCorrection: f32, firstDecay: f32, secondDecay: f32, epsilon: f32 }
@group(0) @binding(0) var<uniform> rates: Rates;
@group(0) @binding(1) var<storage, read> gradient: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> ego: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> firstMoment: array<vec4f>;
@group(0) @binding(4) var<storage, read_write> secondMoment: array<vec4f>;

@compute @workgroup_size(256)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let at = (group.y * groups.x + group.x) * 256u + thread;
  if (at >= arrayLength(&ego)) { return; }
  let slope = gradient[at];
  let first = rates.firstDecay * firstMoment[at] + (1.0 - rates.firstDecay) * slope;
  let second = rates.secondDecay * secondMoment[at] + (1.0 - rates.secondDecay) * slope * slope;
  firstMoment[at] = first;
  secondMoment[at] = second;
  ego[at] -= rates.rate * first / (sqrt(second) * rates.rootCorrection + rates.epsilon);
}
`;
