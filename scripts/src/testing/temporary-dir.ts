import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A folder that is gone when its block ends. */
export async function temporaryDir(): Promise<{ path: string } & AsyncDisposable> {
  const path = await mkdtemp(join(tmpdir(), 'kindred-scripts-'));
  await chmod(path, 0o755); // PostgreSQL may run as another user
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}
