import { randomUUID } from 'node:crypto';
import { open, rename, rm } from 'node:fs/promises';

/** Lets `write` fill a temporary file beside `path`, syncs it to disk and renames it to `path`: whole or not at all. */
export async function writeFileAtomically(
  path: string,
  write: (temporaryPath: string) => Promise<void>,
): Promise<void> {
  const temporaryPath = `${path}.${randomUUID()}.tmp`;
  try {
    await write(temporaryPath);
    await using file = await open(temporaryPath, 'r');
    await file.sync();
    await rename(temporaryPath, path);
  } catch (error) {
    await rm(temporaryPath, { force: true });
    throw error;
  }
}
