import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { temporaryDir } from '../testing/temporary-dir.ts';
import { emptyStateFolder, openStateFolder, refuseFullDisk } from './state-folder.ts';

test('a reset removes data, logs and secrets, and keeps the lock of the one who resets', async () => {
  await using dir = await temporaryDir();
  const folder = openStateFolder(join(dir.path, 'state'));
  for (const path of [folder.secrets, folder.demo, folder.registry]) writeFileSync(path, '{}');
  mkdirSync(folder.objects);
  await emptyStateFolder(folder);
  expect([folder.secrets, folder.demo, folder.objects, folder.registry].map((path) => existsSync(path))).toEqual([
    false,
    false,
    false,
    true,
  ]);
});

test('a folder that cannot be made is named with the option that chooses another', async () => {
  await using dir = await temporaryDir();
  const file = join(dir.path, 'file');
  writeFileSync(file, '');
  expect(() => openStateFolder(join(file, 'state'))).toThrow(
    `${join(file, 'state')} cannot be written: choose another folder with --state DIR.`,
  );
});

test('a full disk stops the start with what is free and what is wanted', () => {
  expect(() => refuseFullDisk('/data', 1024 ** 3)).not.toThrow();
  expect(() => refuseFullDisk('/data', 300 * 1024 ** 2)).toThrow(
    'The disk of /data is full: 300 MB are free and 1024 MB are wanted. Free some, or choose another with --state DIR.',
  );
});
