import type { DeviceMemory } from './memory.ts';

/** Losses of steps that the device still computes, read back a few at a time so that no step waits for one. */
interface LossQueue {
  /** Where the device writes them. */
  readonly buffer: GPUBuffer;
  /** The place of the next loss, whose commands are then submitted before the event loop turns. */
  next(): { readonly index: number; readonly loss: Promise<number> };
  /** Forgets losses that nobody has read back; they never come. */
  readonly close: () => void;
}

/** Losses that are read back together: few, so that the device has the later steps to do meanwhile. */
const GROUP = 8;
/** More places than the steps that `trainEpoch` runs ahead of the oldest loss. */
const PLACES = 512;

export function createLossQueue(memory: DeviceMemory): LossQueue {
  const buffer = memory.allocate('the losses', PLACES * 4);
  let place = 0;
  let waiting: { index: number; settle: (losses: Promise<Float32Array>) => void }[] = [];
  const flush = () => {
    if (waiting.length === 0) return;
    const group = waiting;
    waiting = [];
    const losses = memory.read(buffer, PLACES * 4, (values) => values.slice());
    for (const { settle } of group) settle(losses);
  };
  return {
    buffer,
    next: () => {
      // Of a full group the last loss has been submitted by now.
      if (waiting.length >= GROUP) flush();
      if (waiting.length === 0) setImmediate(flush);
      const index = place;
      place = (place + 1) % PLACES;
      const { promise, resolve } = Promise.withResolvers<Float32Array>();
      waiting.push({ index, settle: resolve });
      return { index, loss: promise.then((losses) => losses[index] ?? Number.NaN) };
    },
    close: () => {
      waiting = [];
    },
  };
}
