import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { temporaryDir } from '../testing/temporary-dir.ts';
import { lastWords } from './last-words.ts';

const STACK = `node:internal/modules/cjs/loader:1210
  throw err;
Error: Cannot find module 'x'
    at Function._resolveFilename (node:internal/modules/cjs/loader:1207:15) {
  requireStack: []
}

Node.js v24.21.0
`;

test.each([
  ['an uncaught error', STACK, "Error: Cannot find module 'x'"],
  [
    'a fatal log record',
    '{"level":60,"err":{"message":"no database"},"msg":"cannot go on"}\n{"level":30,"msg":"bye"}\n',
    'no database',
  ],
  ['plain text', 'first\nlast\n\n', 'last'],
])('the last words in %s are its error', async (_kind, text, words) => {
  await using dir = await temporaryDir();
  const path = join(dir.path, 'log');
  writeFileSync(path, text);
  expect(lastWords(path)).toBe(words);
});

test('a silent process has no last words', async () => {
  await using dir = await temporaryDir();
  const path = join(dir.path, 'log');
  writeFileSync(path, '');
  expect(lastWords(path)).toBeNull();
});
