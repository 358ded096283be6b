import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openObjectStore } from './object-store.ts';
import { describeObjectStore } from './object-store-suite.ts';

interface S3Server {
  run(): Promise<{ port: number }>;
  close(): Promise<void>;
}

// s3rver comes without types.
const S3rver: new (options: object) => S3Server = createRequire(import.meta.url)('s3rver');

let folder: string;
let s3: S3Server;
let endpoint: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kindred-objects-'));
  const options = { port: 0, address: '127.0.0.1', silent: true, directory: join(folder, 's3') };
  s3 = new S3rver({ ...options, configureBuckets: [{ name: 'artefacts', configs: [] }] });
  endpoint = `http://127.0.0.1:${(await s3.run()).port}`;
});

afterAll(async () => {
  await s3.close();
  await rm(folder, { recursive: true });
});

const openFiles = () => openObjectStore({ url: pathToFileURL(join(folder, 'files')).href });
const openS3 = (bucket = 'artefacts') =>
  openObjectStore({
    url: `s3://${bucket}`,
    s3: { endpoint, accessKeyId: 'S3RVER', secretAccessKey: 'S3RVER' },
    cacheDir: join(folder, 'cache'),
  });

describeObjectStore('file', openFiles);
describeObjectStore('S3', openS3);

test('a write that fails leaves nothing behind', async () => {
  const store = openFiles();
  await expect(store.putFile('tenants/one/broken', join(folder, 'no-such-file'))).rejects.toThrow('ENOENT');
  expect(await readdir(join(folder, 'files', 'tenants', 'one'))).toEqual([]);
});

test('a bucket that does not exist fails the ping', async () => {
  await expect(openS3('nowhere').ping()).rejects.toThrow();
});

test('S3 serves a local file from the cache once it has it', async () => {
  await openS3().put('tenants/two/index', new Uint8Array([1, 2, 3]));
  const path = await openS3().materialize('tenants/two/index');
  expect(path.startsWith(join(folder, 'cache'))).toBe(true);
  expect(await openS3().materialize('tenants/two/index')).toBe(path);
});

test.for(['ftp://host/dir', 's3://', 's3://bucket'])('the url "%s" without a cache folder is refused', (url) => {
  expect(() => openObjectStore({ url })).toThrow('Wanted file:///dir, or s3://bucket');
});
