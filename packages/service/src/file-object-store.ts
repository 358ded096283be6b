import { randomUUID } from 'node:crypto';
import {
  access,
  copyFile,
  type FileHandle,
  mkdir,
  open,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  writeFile,
} from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { checkObjectKey, ObjectNotFoundError } from './object-key.ts';
import type { ObjectStore } from './object-store.ts';

/** How the names of files end that are being written. */
const PART = '.part';

/** Objects as files under one folder: written beside their place, flushed to the disk, then renamed. */
export class FileObjectStore implements ObjectStore {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  async put(key: string, bytes: Uint8Array): Promise<void> {
    await writeWhole(this.#path(key), (temporary) => writeFile(temporary, bytes));
  }

  async putFile(key: string, path: string): Promise<void> {
    await writeWhole(this.#path(key), (temporary) => copyFile(path, temporary));
  }

  async get(key: string): Promise<Uint8Array> {
    return await orNotFound(key, readFile(this.#path(key)));
  }

  async materialize(key: string): Promise<string> {
    const path = this.#path(key);
    const entry = await orNotFound(key, stat(path));
    if (!entry.isFile()) throw new ObjectNotFoundError(key);
    return path;
  }

  async exists(key: string): Promise<boolean> {
    try {
      return (await stat(this.#path(key))).isFile();
    } catch (error) {
      if (isMissing(error)) return false;
      throw error;
    }
  }

  async list(prefix: string): Promise<string[]> {
    const entries = await readdir(this.#path(prefix), { recursive: true, withFileTypes: true }).catch(
      (error: unknown) => {
        if (isMissing(error)) return [];
        throw error;
      },
    );
    const files = entries.filter((entry) => entry.isFile() && !entry.name.endsWith(PART));
    return files.map((entry) => relative(this.#folder, join(entry.parentPath, entry.name))).toSorted();
  }

  async evict(key: string): Promise<void> {
    // The local file is the object.
    checkObjectKey(key);
  }

  async delete(prefix: string): Promise<void> {
    await rm(this.#path(prefix), { recursive: true, force: true });
  }

  async ping(): Promise<void> {
    await mkdir(this.#folder, { recursive: true });
    await access(this.#folder);
  }

  #path(key: string): string {
    return join(this.#folder, checkObjectKey(key));
  }
}

/** Makes `path` appear whole, with what `write` writes, even across a crash. */
export async function writeWhole(path: string, write: (temporary: string) => Promise<void>): Promise<void> {
  const folder = dirname(path);
  await mkdir(folder, { recursive: true });
  const temporary = join(folder, `.${randomUUID()}${PART}`);
  try {
    await write(temporary);
    await flush(temporary, 'r+');
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
  // The rename itself lives in the folder.
  await flush(folder, 'r');
}

async function flush(path: string, flags: string): Promise<void> {
  let handle: FileHandle | undefined;
  try {
    handle = await open(path, flags);
    await handle.sync();
  } finally {
    await handle?.close();
  }
}

async function orNotFound<T>(key: string, reading: Promise<T>): Promise<T> {
  try {
    return await reading;
  } catch (error) {
    if (isMissing(error)) throw new ObjectNotFoundError(key, { cause: error });
    throw error;
  }
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && ['ENOENT', 'ENOTDIR', 'EISDIR'].includes(String(error.code));
}
