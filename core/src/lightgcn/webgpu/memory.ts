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
  /** The first bytes of a buffer, after all that is queued. @throws DeviceLostError */
  read(buffer: GPUBuffer, sizeBytes: number): Promise<Float32Array<ArrayBuffer>>;
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
    read: (buffer, sizeBytes) => readBack(open, buffer, sizeBytes),
    sizeBytes: () => [...held].reduce((sum, { size }) => sum + size, 0),
    close: () => {
      for (const buffer of held) buffer.destroy();
      held.clear();
    },
  };
}

async function readBack(open: OpenDevice, source: GPUBuffer, sizeBytes: number): Promise<Float32Array<ArrayBuffer>> {
  const { device, name } = open;
  checkAlive(open);
  const staging = device.createBuffer({ size: sizeBytes, usage: MAP_READ | COPY_TARGET });
  const encoder = device.createCommandEncoder();
  encoder.copyBufferToBuffer(source, 0, staging, 0, sizeBytes);
  device.queue.submit([encoder.finish()]);
  try {
    await staging.mapAsync(MAP_MODE_READ);
    checkAlive(open);
    return new Float32Array(staging.getMappedRange(0, sizeBytes).slice(0));
  } catch (error) {
    checkAlive(open);
    throw new DeviceLostError(`The training on ${name} gave nothing back: ${String(error)}.`);
  } finally {
    staging.destroy();
  }
}

/** @throws DeviceLostError when the device is lost or one of its commands failed. */
export function checkAlive({ name, failure }: OpenDevice): void {
  const reason = failure();
  if (reason !== null) throw new DeviceLostError(`The training on ${name} ended: ${reason}.`);
}
