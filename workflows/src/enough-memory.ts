import { totalmem } from 'node:os';
import { estimateMemoryBytes, type TrainingSize } from '@kindred/core/lightgcn/memory-estimate';
import { loadLightGcnAddon } from '@kindred/core/lightgcn/native-addon';
import { permanentFailure } from './failures.ts';

/**
 * Checks a training of this size, with the back-end and the threads that this worker would take.
 * @throws NotEnoughMemory when it would not fit into what this worker may use.
 */
export function requireMemory(
  size: Omit<TrainingSize, 'backend' | 'threads'>,
  availableBytes: number = memoryLimitBytes(),
): void {
  const backend = loadLightGcnAddon().addon ? 'native' : 'reference';
  const neededBytes = estimateMemoryBytes({ ...size, backend });
  if (neededBytes > availableBytes) {
    const inGigabytes = (bytes: number) => (bytes / 1e9).toFixed(1);
    throw permanentFailure(
      'NotEnoughMemory',
      `A training of ${size.userCount.toLocaleString('en')} users and ${size.itemCount.toLocaleString('en')} items with ` +
        `dimension ${size.dimension} needs about ${inGigabytes(neededBytes)} GB of memory; the worker has ` +
        `${inGigabytes(availableBytes)} GB. A smaller dimension needs less.`,
    );
  }
}

/** What the container allows, where there is one, else what the machine has. */
function memoryLimitBytes(): number {
  const constrained = process.constrainedMemory();
  return constrained > 0 ? Math.min(constrained, totalmem()) : totalmem();
}
