import { totalmem } from 'node:os';
import { estimateMemoryBytes } from '@kindred/core/lightgcn/light-gcn';
import { permanentFailure } from './failures.ts';

/** @throws NotEnoughMemory when a training of this size would not fit into what this worker may use. */
export function requireMemory(
  size: Parameters<typeof estimateMemoryBytes>[0],
  availableBytes: number = memoryLimitBytes(),
): void {
  const neededBytes = estimateMemoryBytes(size);
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
