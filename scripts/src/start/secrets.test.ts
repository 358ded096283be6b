import { createPrivateKey } from 'node:crypto';
import { chmodSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { temporaryDir } from '../testing/temporary-dir.ts';
import { openSecrets } from './secrets.ts';

test('secrets are made once, at random, for their owner alone', async () => {
  await using dir = await temporaryDir();
  const path = join(dir.path, 'secrets.json');
  const made = openSecrets(path);
  expect(openSecrets(path)).toEqual(made);
  expect(statSync(path).mode & 0o777).toBe(0o600);
  expect(openSecrets(join(dir.path, 'other.json')).apiKeyPepper).not.toBe(made.apiKeyPepper);
  expect(Math.min(made.internalTokenSecret.length, made.apiKeyPepper.length)).toBeGreaterThanOrEqual(32);
  expect(JSON.stringify(made)).not.toContain('development');
});

test('the session key is a private Ed25519 key in base64 of JWK JSON', async () => {
  await using dir = await temporaryDir();
  const { sessionSigningKey } = openSecrets(join(dir.path, 'secrets.json'));
  const key = JSON.parse(Buffer.from(sessionSigningKey, 'base64').toString('utf8')) as { d: string };
  expect(createPrivateKey({ key, format: 'jwk' }).asymmetricKeyType).toBe('ed25519');
});

test('a file that others could read is closed again', async () => {
  await using dir = await temporaryDir();
  const path = join(dir.path, 'secrets.json');
  openSecrets(path);
  chmodSync(path, 0o644);
  openSecrets(path);
  expect(statSync(path).mode & 0o777).toBe(0o600);
});

test('a broken file is refused, not replaced', async () => {
  await using dir = await temporaryDir();
  const path = join(dir.path, 'secrets.json');
  for (const text of ['{"internalTokenSecret": "x"}', '{', 'null']) {
    writeFileSync(path, text);
    expect(() => openSecrets(path)).toThrow(/holds no "\w+": restore it, or start with --reset\./);
    expect(readFileSync(path, 'utf8')).toBe(text);
  }
});
