import { fileURLToPath } from 'node:url';
import { FileObjectStore } from './file-object-store.ts';
import { type S3Access, S3ObjectStore } from './s3-object-store.ts';

/** Immutable objects under keys such as `tenants/<tenantId>/snapshots/<hash>`: path segments of letters, digits, `.`, `_` and `-`. */
export interface ObjectStore {
  /** Whole or not at all: a reader never sees a part. */
  put(key: string, bytes: Uint8Array): Promise<void>;
  /** Like `put`, from a local file, without holding it in memory. */
  putFile(key: string, path: string): Promise<void>;
  /** @throws ObjectNotFoundError */
  get(key: string): Promise<Uint8Array>;
  /** A local file with the object's bytes, to map or read but never to write. @throws ObjectNotFoundError */
  materialize(key: string): Promise<string>;
  exists(key: string): Promise<boolean>;
  /** The keys under `prefix/`, in order; not of objects that are still being written. */
  list(prefix: string): Promise<string[]>;
  /** Forgets the local file of an object that is kept elsewhere: what has it open keeps it. */
  evict(key: string): Promise<void>;
  /** Deletes the object at `prefix` and everything under `prefix/`. Nothing there is no error. */
  delete(prefix: string): Promise<void>;
  /** Rejects when the store cannot be reached. */
  ping(): Promise<void>;
}

/**
 * The store at `file:///dir` or `s3://bucket`. `cacheDir` is where objects of S3 are kept as local files; it may be emptied at any time.
 * @throws Error when the url is neither, or S3 lacks a cacheDir.
 */
export function openObjectStore(options: { url: string; s3?: S3Access; cacheDir?: string }): ObjectStore {
  const url = new URL(options.url);
  if (url.protocol === 'file:') return new FileObjectStore(fileURLToPath(url));
  if (url.protocol === 's3:' && url.hostname !== '' && options.cacheDir !== undefined) {
    return new S3ObjectStore({ bucket: url.hostname, access: options.s3 ?? {}, cacheDir: options.cacheDir });
  }
  throw new Error(`Wanted file:///dir, or s3://bucket with a cacheDir, got "${options.url}"`);
}
