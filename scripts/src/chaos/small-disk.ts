import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** A file system that can be filled without harm; `path` is null where this machine lets us mount none. */
export interface SmallDisk extends AsyncDisposable {
  path: string | null;
}

/** Mounts a file system in memory, which takes root on Linux. */
export async function mountSmallDisk(sizeMib: number): Promise<SmallDisk> {
  const path = await mkdtemp(join(tmpdir(), 'kindred-disk-'));
  const isMounted = await run('mount', ['-t', 'tmpfs', '-o', `size=${sizeMib}m,mode=755`, 'tmpfs', path]).then(
    () => true,
    () => false,
  );
  return {
    path: isMounted ? path : null,
    async [Symbol.asyncDispose]() {
      if (isMounted) await run('umount', ['-l', path]);
      await rm(path, { recursive: true, force: true });
    },
  };
}
