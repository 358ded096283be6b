import { BackendUnavailableError } from '../backend-error.ts';
import type { OpenDevice } from './device.ts';

/** Buffer usages as the WebGPU specification numbers them; Dawn for Node defines no globals. */
const MAP_READ = 0x1;
const MAP_MODE_READ = 0x1;
const COPY_SOURCE = 0x4;
const COPY_TARGET = 0x8;
const UNIFORM = 0x40;
const STORAGE = 0x80;

/** What a kernel reads that the host writes. */
type HostValues = ArrayBuffer | Uint32Array<ArrayBuffer> | Float32Array<ArrayBuffer>;

/** The buffers of one model on the device. A storage buffer that is short enough can be bound as uniform too. */
export interface DeviceMemory {
  /** A storage buffer of zeros. @throws BackendUnavailableError when it is larger than a kernel can bind. */
  allocate(name: string, sizeBytes: number): GPUBuffer;
  /** A storage buffer of these values. @throws as `allocate` */
  hold(name: string, values: HostValues): GPUBuffer;
  /** A storage buffer that `write` fills at every step and that grows as needed. */
  growing(name: string): GrowingBuffer;
  /**
   * What `take` makes of the first bytes of a buffer, after all that is queued; `values` are gone when it returns.
   * @throws DeviceLostError
   */
  read<Result>(
    buffer: GPUBuffer,
    sizeBytes: number,
    take: (values: Float32Array<ArrayBuffer>) => Result,
  ): Promise<Result>;
  /** Bytes on the device. */
  sizeBytes(): number;
  close(): void;
}

interface GrowingBuffer {
  /** The buffer with room for so many bytes; what it held before may be gone. @throws BackendUnavailableError */
  reserve(sizeBytes: number): GPUBuffer;
  /** The buffer with these values at its beginning. @throws BackendUnavailableError */
  write(values: HostValues): GPUBuffer;
}

/** The device went away or broke while it computed: what it held is gone, and a new training has to go on from a checkpoint. */
export class DeviceLostError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'DeviceLostError';
  }
}

export function createMemory(open: OpenDevice): DeviceMemory {
  const { device, name: deviceName, mostBytes } = open;
  const held = new Set<GPUBuffer>();
  const idle = new Map<number, GPUBuffer[]>();
  let isClosed = false;
  const allocate = (name: string, sizeBytes: number): GPUBuffer => {
    if (sizeBytes > mostBytes) {
      const message = `wanted ${sizeBytes} bytes for ${name}, ${deviceName} binds at most ${mostBytes} at once`;
      throw new BackendUnavailableError(message);
    }
    const usage = STORAGE | UNIFORM | COPY_SOURCE | COPY_TARGET;
    const buffer = device.createBuffer({ size: Math.max(16, Math.ceil(sizeBytes / 16) * 16), usage });
    held.add(buffer);
    return buffer;
  };
  const release = (buffer: GPUBuffer): void => {
    held.delete(buffer);
    buffer.destroy();
  };
  return {
    allocate,
    hold: (name, values) => {
      const buffer = allocate(name, values.byteLength);
      device.queue.writeBuffer(buffer, 0, values);
      return buffer;
    },
    growing: (name) => {
      let buffer = allocate(name, 0);
      const reserve = (sizeBytes: number): GPUBuffer => {
        if (buffer.size >= sizeBytes) return buffer;
        const grown = allocate(name, Math.max(sizeBytes, Math.min(buffer.size * 1.5, mostBytes)));
        release(buffer);
        buffer = grown;
        return buffer;
      };
      const write = (values: HostValues): GPUBuffer => {
        device.queue.writeBuffer(reserve(values.byteLength), 0, values);
        return buffer;
      };
      return { reserve, write };
    },
    read: async (buffer, sizeBytes, take) => {
      // Pages that the host and the device share take longer to get than to read: those of one length serve again.
      const staging =
        idle.get(sizeBytes)?.pop() ?? device.createBuffer({ size: sizeBytes, usage: MAP_READ | COPY_TARGET });
      try {
        return await readBack(open, { buffer, staging, sizeBytes, take });
      } finally {
        if (isClosed) staging.destroy();
        else idle.set(sizeBytes, [...(idle.get(sizeBytes) ?? []), staging]);
      }
    },
    sizeBytes: () => [...held].reduce((sum, { size }) => sum + size, 0),
    close: () => {
      isClosed = true;
      for (const buffer of [...held, ...[...idle.values()].flat()]) buffer.destroy();
      held.clear();
      idle.clear();
    },
  };
}

async function readBack<Result>(
  open: OpenDevice,
  wish: {
    readonly buffer: GPUBuffer;
    readonly staging: GPUBuffer;
    readonly sizeBytes: number;
    readonly take: (values: Float32Array<ArrayBuffer>) => Result;
  },
): Promise<Result> {
  const { device, name } = open;
  const { buffer, staging, sizeBytes, take } = wish;
  checkAlive(open);
  const encoder = device.createCommandEncoder();
  encoder.copyBufferToBuffer(buffer, 0, staging, 0, sizeBytes);
  device.queue.submit([encoder.finish()]);
  try {
    await staging.mapAsync(MAP_MODE_READ);
    checkAlive(open);
    return take(new Float32Array(staging.getMappedRange(0, sizeBytes)));
  } catch (error) {
    checkAlive(open);
    throw new DeviceLostError(`The training on ${name} gave nothing back: ${String(error)}.`);
  } finally {
    staging.unmap();
  }
}

/** @throws DeviceLostError when the device is lost or one of its commands failed. */
export function checkAlive({ name, failure }: OpenDevice): void {
  const reason = failure();
  if (reason !== null) throw new DeviceLostError(`The training on ${name} ended: ${reason}.`);
}
