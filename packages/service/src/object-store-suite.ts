import { randomUUID } from 'node:crypto';
import { mkdtempDisposable, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { ObjectNotFoundError } from './object-key.ts';
import type { ObjectStore } from './object-store.ts';

const bytesOf = (text: string) => new Uint8Array(Buffer.from(text));
const textOf = (bytes: Uint8Array) => Buffer.from(bytes).toString();

/** What every object store guarantees. `open` gives the store under test; each test keeps to keys of its own. */
export function describeObjectStore(kind: string, open: () => ObjectStore): void {
  describe(`the ${kind} object store`, () => {
    const folder = () => `tenants/${randomUUID()}`;

    test('gives back the bytes it was given', async () => {
      const key = `${folder()}/artefact.bin`;
      const bytes = Uint8Array.from({ length: 300_000 }, (_, index) => index % 251);
      await open().put(key, bytes);
      expect(await open().exists(key)).toBe(true);
      expect(Buffer.compare(await open().get(key), bytes)).toBe(0);
    });

    test('takes bytes that lie in memory shared between threads', async () => {
      const key = `${folder()}/checkpoint`;
      const bytes = Uint8Array.from({ length: 200_000 }, (_, index) => index % 251);
      const shared = new Uint8Array(new SharedArrayBuffer(300_000), 64, bytes.length);
      shared.set(bytes);
      await open().put(key, shared);
      expect(Buffer.compare(await open().get(key), bytes)).toBe(0);
    });

    test('takes a file and gives a local file back', async () => {
      await using temporary = await mkdtempDisposable(join(tmpdir(), 'kindred-objects-'));
      const source = join(temporary.path, 'source');
      await writeFile(source, 'from a file');
      const key = `${folder()}/file`;
      await open().putFile(key, source);
      const [path, again] = await Promise.all([open().materialize(key), open().materialize(key)]);
      expect(path).toBe(again);
      expect(await readFile(path, 'utf8')).toBe('from a file');
    });

    test('replaces an object whole, its local file too', async () => {
      const store = open();
      const key = `${folder()}/object`;
      await store.put(key, bytesOf('a longer first version'));
      await store.materialize(key);
      await store.put(key, bytesOf('second'));
      expect(textOf(await store.get(key))).toBe('second');
      expect(await readFile(await store.materialize(key), 'utf8')).toBe('second');
    });

    test('says which object is missing', async () => {
      const key = `${folder()}/nothing`;
      expect(await open().exists(key)).toBe(false);
      await expect(open().get(key)).rejects.toThrow(ObjectNotFoundError);
      await expect(open().materialize(key)).rejects.toMatchObject({ key });
    });

    test('deletes everything under a prefix, and nothing beside it', async () => {
      const store = open();
      const prefix = folder();
      const keys = [`${prefix}/run/a`, `${prefix}/run/deep/b`, `${prefix}/run-2/c`];
      await Promise.all(keys.map((key) => store.put(key, bytesOf(key))));
      await store.materialize(`${prefix}/run/a`);
      await store.delete(`${prefix}/run`);
      expect(await Promise.all(keys.map((key) => store.exists(key)))).toEqual([false, false, true]);
      await expect(store.materialize(`${prefix}/run/a`)).rejects.toThrow(ObjectNotFoundError);
      await store.delete(`${prefix}/run`);
    });

    test('lists what is under a prefix, and nothing beside it', async () => {
      const store = open();
      const prefix = folder();
      const keys = [`${prefix}/run/a`, `${prefix}/run/deep/b`, `${prefix}/run-2/c`];
      await Promise.all(keys.map((key) => store.put(key, bytesOf(key))));
      expect(await store.list(`${prefix}/run`)).toEqual(keys.slice(0, 2));
      expect(await store.list(prefix)).toEqual([keys[2], keys[0], keys[1]]);
      expect(await store.list(`${prefix}/nothing`)).toEqual([]);
    });

    test('evicts a local file without losing the object', async () => {
      const store = open();
      const key = `${folder()}/object`;
      await store.put(key, bytesOf('kept'));
      await store.materialize(key);
      await store.evict(key);
      expect(textOf(await store.get(key))).toBe('kept');
      expect(await readFile(await store.materialize(key), 'utf8')).toBe('kept');
    });

    test.for(['', '/etc/passwd', 'a//b', '../secret', 'a/../../b', 'a/./b', 'a b', 'tenants/ü'])(
      'refuses the key "%s"',
      async (key) => {
        await expect(open().put(key, bytesOf('x'))).rejects.toThrow('is no object key');
        await expect(open().get(key)).rejects.toThrow('is no object key');
        await expect(open().delete(key)).rejects.toThrow('is no object key');
      },
    );

    test('answers a ping', async () => {
      await open().ping();
    });
  });
}
