import { mkdtempDisposable } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { newId } from '@kindred/domain/ids';
import { openObjectStore } from '@kindred/service/object-store';
import { expect, test } from 'vitest';
import { findFilesHolding } from './erased-files.ts';

const CHUNK = 4 * 2 ** 20;

test('an id is found wherever it stands in a file, packed or written out, also across what is read at once', async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), 'kindred-erased-'));
  const objects = openObjectStore({ url: pathToFileURL(folder.path).href });
  const [tenantId, other, userId] = [newId('Tenant'), newId('Tenant'), newId('User')];
  const packed = Buffer.from(userId.replaceAll('-', ''), 'hex');
  const fileWith = (id: Buffer, at: number) => {
    const bytes = Buffer.alloc(2 * CHUNK + 100);
    id.copy(bytes, at);
    return bytes;
  };
  const put = (name: string, bytes: Buffer, of = tenantId) => objects.put(`tenants/${of}/runs/${name}`, bytes);
  await put('at-the-start', fileWith(packed, 0));
  await put('across', fileWith(packed, CHUNK - 7));
  await put('written-across', fileWith(Buffer.from(userId), 2 * CHUNK - 35));
  await put('at-the-end', fileWith(packed, 2 * CHUNK + 84));
  await put('of-another-user', fileWith(Buffer.from(newId('User')), 5));
  await put('empty', Buffer.alloc(0));
  await put('of-another-tenant', fileWith(packed, 0), other);
  const found = await findFilesHolding(objects, { tenantId, userId });
  expect(found.map((key) => key.split('/').at(-1))).toEqual(['across', 'at-the-end', 'at-the-start', 'written-across']);
});
