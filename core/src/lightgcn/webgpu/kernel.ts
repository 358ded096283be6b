import type { OpenDevice } from './device.ts';

/** Part of a buffer, to be bound as a whole. */
interface BufferPart {
  readonly buffer: GPUBuffer;
  readonly offset: number;
  readonly size: number;
}

/** One dispatch's buffers, in the order of the shader's bindings. */
type Bindings = readonly (GPUBuffer | BufferPart)[];

/** A compiled shader. */
export interface Kernel {
  /** Adds a dispatch of `groups` workgroups; of a count alone, laid out in two dimensions where one is too short. */
  run(pass: GPUComputePassEncoder, buffers: Bindings, groups: number | readonly [number, number, number]): void;
}

/** Below the limit of 65,535 workgroups in each dimension that every WebGPU device has. */
const MOST_GROUPS = 32_768;

/** The shader's kernel; equal sources share one pipeline per device. */
export function createKernel({ device, pipelines }: OpenDevice, code: string): Kernel {
  let pipeline = pipelines.get(code);
  if (!pipeline) {
    const module = device.createShaderModule({ code });
    pipeline = device.createComputePipeline({ layout: 'auto', compute: { module, entryPoint: 'main' } });
    pipelines.set(code, pipeline);
  }
  const compiled = pipeline;
  const layout = compiled.getBindGroupLayout(0);
  // A training runs each kernel on the same few buffers again and again.
  const known: { readonly buffers: Bindings; readonly group: GPUBindGroup }[] = [];
  const groupOf = (buffers: Bindings): GPUBindGroup => {
    const found = known.find((entry) => areEqual(entry.buffers, buffers));
    if (found) return found.group;
    const entries = buffers.map((bound, binding) => ({
      binding,
      resource: 'offset' in bound ? bound : { buffer: bound },
    }));
    const group = device.createBindGroup({ layout, entries });
    known.unshift({ buffers, group });
    known.length = Math.min(known.length, MOST_GROUPS_KEPT);
    return group;
  };
  return {
    run: (pass, buffers, groups) => {
      const [x, y, z] = typeof groups === 'number' ? layOut(groups) : groups;
      if (x * y * z === 0) return;
      pass.setPipeline(compiled);
      pass.setBindGroup(0, groupOf(buffers));
      pass.dispatchWorkgroups(x, y, z);
    },
  };
}

const MOST_GROUPS_KEPT = 16;

/** A count in two dimensions; the last row may reach beyond it. */
export function layOut(count: number): readonly [number, number, number] {
  const x = Math.min(count, MOST_GROUPS);
  return [x, x === 0 ? 0 : Math.ceil(count / x), 1];
}

function areEqual(one: Bindings, other: Bindings): boolean {
  return one.every((bound, index) => {
    const second = other[index];
    if (bound === second) return true;
    if (!second || !('offset' in bound && 'offset' in second)) return false;
    return bound.buffer === second.buffer && bound.offset === second.offset;
  });
}
