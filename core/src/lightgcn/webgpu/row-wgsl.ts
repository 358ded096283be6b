import { ROW_THREADS, type RowShape } from './row-shape.ts';

/**
 * A kernel in which a group of `lanes` threads works on one row, neighbouring threads on neighbouring vec4, so that reads
 * coalesce. `body` finds `row`, `lane`, `lanes` and `stride`, and must not return early where it calls `sumLanes`, which waits
 * for all. The row shape comes from the uniform `shape` and not from the source, so that a device compiles each kernel once.
 */
export function rowKernel(shape: 'step' | 'layer', declarations: string, body: string): string {
  return /* wgsl */ `
${declarations}
var<workgroup> scratch: array<f32, ${ROW_THREADS}>;

/** The sum of the lanes' values, the same bits in each. */
fn sumLanes(thread: u32, lanes: u32, value: f32) -> f32 {
  let lane = thread & (lanes - 1u);
  scratch[thread] = value;
  workgroupBarrier();
  for (var width = lanes >> 1u; width > 0u; width >>= 1u) {
    if (lane < width) { scratch[thread] += scratch[thread + width]; }
    workgroupBarrier();
  }
  let total = scratch[thread - lane];
  workgroupBarrier();
  return total;
}

@compute @workgroup_size(${ROW_THREADS})
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let stride = ${shape}.stride;
  let lanes = ${shape}.lanes;
  let rowsOfGroup = ${ROW_THREADS}u / lanes;
  let row = (group.y * groups.x + group.x) * rowsOfGroup + thread / lanes;
  let lane = thread & (lanes - 1u);
  ${body}
}
`;
}

/** What the host tells the kernels of a step; `packStep` writes it. */
export const STEP_WGSL = /* wgsl */ `
struct Step {
  /** Triples of the paper's loss. */
  tripleCount: u32,
  /** Distinct nodes of the batch. */
  slotCount: u32,
  /** Parts of the loss: one for each triple, or user of a chunk, and one for each slot. */
  partCount: u32,
  /** Where the sum of the parts goes. */
  lossIndex: u32,
  inverseCount: f32,
  /** lambda over the batch size */
  decay: f32,
  inverseTemperature: f32,
  secondTemperature: f32,
  /** vec4 of a row, and threads that share one. */
  stride: u32,
  lanes: u32,
}
`;

interface StepConstants {
  readonly tripleCount: number;
  readonly slotCount: number;
  readonly partCount: number;
  readonly lossIndex: number;
  readonly inverseCount: number;
  readonly decay: number;
  readonly inverseTemperature: number;
  readonly secondTemperature: number;
  readonly shape: RowShape;
}

/** The bytes of `Step`. */
export function packStep(step: StepConstants): ArrayBuffer {
  const bytes = new ArrayBuffer(48);
  const { stride, lanes } = step.shape;
  new Uint32Array(bytes).set([step.tripleCount, step.slotCount, step.partCount, step.lossIndex]);
  new Uint32Array(bytes, 32).set([stride, lanes]);
  new Float32Array(bytes, 16).set([step.inverseCount, step.decay, step.inverseTemperature, step.secondTemperature]);
  return bytes;
}
