import { accessSync, constants, globSync, mkdirSync, renameSync, rmSync, statfsSync, statSync } from 'node:fs';
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { StopReason } from '../report-error.ts';
import { hiddenDir } from '../services/postgres.ts';

const NEEDED_BYTES = 1024 ** 3;
const LONG_LOG_BYTES = 10 * 1024 ** 2;

/** Where one local platform keeps everything. */
export interface StateFolder {
  root: string;
  registry: string;
  secrets: string;
  demo: string;
  postgres: string;
  redis: string;
  temporal: string;
  objects: string;
  cache: string;
  downloads: string;
  log(name: string): string;
}

/**
 * Opens a state folder, creating it.
 * @throws StopReason when it cannot be written or its disk has less than 1 GB left.
 */
export function openStateFolder(root: string): StateFolder {
  try {
    // Others may pass through, as PostgreSQL does when it runs as its own user, but not look around.
    mkdirSync(root, { recursive: true, mode: 0o711 });
    accessSync(root, constants.W_OK);
  } catch (cause) {
    throw new StopReason(`${root} cannot be written: choose another folder with --state DIR.`, { cause });
  }
  const { bavail, bsize } = statfsSync(root);
  refuseFullDisk(root, bavail * bsize);
  const folder = folderAt(root);
  setLongLogsAside(join(root, 'logs'));
  return folder;
}

/**
 * Nothing, while a disk has room for a start.
 * @throws StopReason when it has less than 1 GB left.
 */
export function refuseFullDisk(root: string, freeBytes: number): void {
  if (freeBytes >= NEEDED_BYTES) return;
  const free = Math.floor(freeBytes / 1024 ** 2);
  throw new StopReason(
    `The disk of ${root} is full: ${free} MB are free and 1024 MB are wanted. Free some, or choose another with --state DIR.`,
  );
}

function setLongLogsAside(dir: string): void {
  for (const name of globSync('*.log', { cwd: dir })) {
    const path = join(dir, name);
    if (statSync(path).size > LONG_LOG_BYTES) renameSync(path, `${path}.old`);
  }
}

function folderAt(root: string): StateFolder {
  const at = (name: string): string => join(root, name);
  return {
    root,
    registry: at('processes.json'),
    secrets: at('secrets.json'),
    demo: at('demo.json'),
    postgres: at('postgres'),
    redis: at('redis'),
    temporal: at('temporal'),
    objects: at('objects'),
    cache: at('cache'),
    downloads: at('downloads'),
    log: (name) => join(root, 'logs', `${name}.log`),
  };
}

/** Removes everything that a platform keeps, but its lock. */
export async function emptyStateFolder(folder: StateFolder): Promise<void> {
  const kept = new Set([folder.registry, join(folder.root, 'compile-cache'), join(folder.root, 'install.json')]);
  for (const name of await readdir(folder.root)) {
    const path = join(folder.root, name);
    if (!kept.has(path)) await rm(path, { recursive: true, force: true });
  }
  rmSync(hiddenDir(folder.postgres), { recursive: true, force: true });
}
