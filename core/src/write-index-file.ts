import { randomUUID } from 'node:crypto';
import { open, rename, rm } from 'node:fs/promises';
import { VectorIndexError } from './index-contract.ts';

/**
 * Lets `write` fill a temporary file beside `path`, syncs it to disk and renames it to `path`: whole or not at all.
 * @throws VectorIndexError FAILED when a step fails.
 */
export async function writeIndexFile(path: string, write: (temporaryPath: string) => Promise<void>): Promise<void> {
  const temporaryPath = `${path}.${randomUUID()}.tmp`;
  try {
    await write(temporaryPath);
    await using file = await open(temporaryPath, 'r');
    await file.sync();
    await rename(temporaryPath, path);
  } catch (cause) {
    await rm(temporaryPath, { force: true });
    const message = cause instanceof Error ? cause.message : String(cause);
    throw new VectorIndexError('FAILED', `Cannot write ${path}: ${message}`, { cause });
  }
}
