import { rowKernel, STEP_WGSL } from './row-wgsl.ts';

/** `SoftmaxPlan.blocks`; which of them a dispatch begins with, its z counts on from there; and vec4 of a direction. */
export const BLOCK_WGSL = /* wgsl */ `
struct Block {
  firstRow: u32,
  rowCount: u32,
  firstColumn: u32,
  columnCount: u32,
  logits: u32,
  stride: u32,
  isFirst: u32,
  columnGradients: u32,
}
struct Round { first: u32, width: u32 }
@group(0) @binding(0) var<uniform> round: Round;
@group(0) @binding(1) var<storage, read> blocks: array<array<u32, 8>>;

fn blockOf(z: u32) -> Block {
  let words = blocks[round.first + z];
  return Block(words[0], words[1], words[2], words[3], words[4], words[5], words[6], words[7]);
}
`;

/** The slots' final vectors at length 1, and their lengths; shorter ones than 1e-12 count as that long, as in softmax.ts. */
export const NORMALIZE_SLOTS = rowKernel(
  'step',
  /* wgsl */ `
${STEP_WGSL}
@group(0) @binding(0) var<uniform> step: Step;
@group(0) @binding(1) var<storage, read> nodes: array<u32>;
@group(0) @binding(2) var<storage, read> table: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> directions: array<vec4f>;
@group(0) @binding(4) var<storage, read_write> lengths: array<f32>;
`,
  /* wgsl */ `
  let start = nodes[min(row, step.slotCount - 1u)] * stride;
  var part = 0.0;
  for (var column = lane; column < stride; column += lanes) {
    let own = table[start + column];
    part += dot(own, own);
  }
  let length = max(1e-12, sqrt(sumLanes(thread, lanes, part)));
  if (row >= step.slotCount) { return; }
  for (var column = lane; column < stride; column += lanes) {
    directions[row * stride + column] = table[start + column] / length;
  }
  if (lane == 0u) { lengths[row] = length; }
`,
);

/**
 * One workgroup for each row of a block: turns its cosines into what the loss's gradient weighs the columns with, and counts its
 * part of the loss. A row's own columns are no negatives; they are marked below every cosine until the others are summed.
 */
export const WEIGH_ROWS = /* wgsl */ `
${STEP_WGSL}
${BLOCK_WGSL}
@group(0) @binding(2) var<uniform> step: Step;
@group(0) @binding(3) var<storage, read> rows: array<vec4u>;
@group(0) @binding(4) var<storage, read> own: array<vec2u>;
@group(0) @binding(5) var<storage, read> columns: array<vec2u>;
@group(0) @binding(6) var<storage, read_write> logits: array<f32>;
@group(0) @binding(7) var<storage, read_write> parts: array<f32>;
const THREADS = 256u;
const OWN = -4.0;
const IS_OWN = -3.0;
const LOWEST = -1e30;
var<workgroup> highest: array<f32, THREADS>;
var<workgroup> sums: array<f32, THREADS>;

@compute @workgroup_size(THREADS)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let block = blockOf(group.z);
  let local = group.y * groups.x + group.x;
  if (local >= block.rowCount) { return; }
  let row = rows[block.firstRow + local];
  let base = (block.logits + local * block.stride) * 4u;

  var positives = 0.0;
  for (var at = row.y + thread; at < row.z; at += THREADS) {
    positives += f32(own[at].y) * logits[base + own[at].x];
    logits[base + own[at].x] = OWN;
  }
  sums[thread] = positives;
  storageBarrier();
  workgroupBarrier();
  for (var width = THREADS / 2u; width > 0u; width /= 2u) {
    if (thread < width) { sums[thread] += sums[thread + width]; }
    workgroupBarrier();
  }
  positives = sums[0];
  workgroupBarrier();

  var top = LOWEST;
  var sum = 0.0;
  for (var column = thread; column < block.columnCount; column += THREADS) {
    let cosine = logits[base + column];
    if (cosine < IS_OWN) { continue; }
    let logit = cosine * step.inverseTemperature + bitcast<f32>(columns[block.firstColumn + column].y);
    if (logit > top) {
      sum = sum * exp(top - logit) + 1.0;
      top = logit;
    } else {
      sum += exp(logit - top);
    }
  }
  highest[thread] = top;
  sums[thread] = sum;
  workgroupBarrier();
  for (var width = THREADS / 2u; width > 0u; width /= 2u) {
    if (thread < width) {
      let both = max(highest[thread], highest[thread + width]);
      sums[thread] = sums[thread] * exp(highest[thread] - both) + sums[thread + width] * exp(highest[thread + width] - both);
      highest[thread] = both;
    }
    workgroupBarrier();
  }
  top = highest[0];
  sum = sums[0];
  let hasNegatives = top > LOWEST;

  let pairs = f32(row.w);
  let weight = select(0.0, step.secondTemperature * pairs * step.inverseTemperature * step.inverseCount / sum, hasNegatives);
  for (var column = thread; column < block.stride * 4u; column += THREADS) {
    var share = 0.0;
    if (column < block.columnCount) {
      let cosine = logits[base + column];
      let logit = cosine * step.inverseTemperature + bitcast<f32>(columns[block.firstColumn + column].y);
      share = select(weight * exp(logit - top), 0.0, cosine < IS_OWN);
    }
    logits[base + column] = share;
  }
  storageBarrier();
  workgroupBarrier();
  for (var at = row.y + thread; at < row.z; at += THREADS) {
    logits[base + own[at].x] = -f32(own[at].y) * step.inverseTemperature * step.inverseCount;
  }
  if (thread == 0u) {
    let negatives = select(0.0, step.secondTemperature * pairs * (log(sum) + top), hasNegatives);
    parts[block.firstRow + local] = step.inverseCount * (negatives - positives * step.inverseTemperature);
  }
}
`;

/**
 * The gradient by the final vector of each slot's node: of all its appearances by its direction, less the part along it, over
 * its length.
 */
export const COMBINE_APPEARANCES = rowKernel(
  'step',
  /* wgsl */ `
${STEP_WGSL}
@group(0) @binding(0) var<uniform> step: Step;
@group(0) @binding(1) var<storage, read> nodes: array<u32>;
@group(0) @binding(2) var<storage, read> offsets: array<u32>;
@group(0) @binding(3) var<storage, read> appearances: array<u32>;
@group(0) @binding(4) var<storage, read> gradients: array<vec4f>;
@group(0) @binding(5) var<storage, read> directions: array<vec4f>;
@group(0) @binding(6) var<storage, read> lengths: array<f32>;
@group(0) @binding(7) var<storage, read_write> gradient: array<vec4f>;
`,
  /* wgsl */ `
  let slot = min(row, step.slotCount - 1u);
  let first = offsets[slot];
  let last = offsets[slot + 1u];
  let to = nodes[slot] * stride;
  let isActive = row < step.slotCount;
  var part = 0.0;
  for (var column = lane; column < stride; column += lanes) {
    var sum = vec4f();
    for (var at = first; at < last; at++) { sum += gradients[appearances[at] * stride + column]; }
    part += dot(sum, directions[slot * stride + column]);
    if (isActive) { gradient[to + column] = sum; }
  }
  let along = sumLanes(thread, lanes, part);
  if (!isActive) { return; }
  for (var column = lane; column < stride; column += lanes) {
    gradient[to + column] = (gradient[to + column] - along * directions[slot * stride + column]) / lengths[slot];
  }
`,
);
