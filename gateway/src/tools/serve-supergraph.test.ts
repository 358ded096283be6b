import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

const COMMAND = fileURLToPath(new URL('serve-supergraph.ts', import.meta.url));
const OURS = fileURLToPath(new URL('../../supergraph.graphql', import.meta.url));
const SUBGRAPH = fileURLToPath(new URL('../../../subgraphs/tenant/schema.graphql', import.meta.url));

test('a file is served at the address that is printed', async () => {
  const command = spawn(process.execPath, [COMMAND, OURS, '--port', '0'], { stdio: ['ignore', 'pipe', 'inherit'] });
  try {
    const [line] = (await once(command.stdout, 'data')) as [Buffer];
    const response = await fetch(line.toString().trim(), {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ query: '{ __type(name: "Item") { name } }' }),
    });
    expect(await response.json()).toEqual({ data: { __type: { name: 'Item' } } });
  } finally {
    command.kill();
  }
});

test.each([
  ['no file', [], 'Wanted one file, got 0'],
  ['two files', [OURS, OURS], 'Wanted one file, got 2'],
  ['no such file', [`${OURS}.old`], 'ENOENT: no such file'],
  [
    'a schema that is no supergraph',
    [SUBGRAPH],
    'Wanted the SDL of a supergraph, as a composer writes it, and got another: The schema',
  ],
  ['no port', [OURS, '--port', 'high'], 'Wanted a port from 0 to 65535, got "high"'],
])('%s: it says what was wanted, and ends with 1', async (_what, args, message) => {
  const outcome = await promisify(execFile)(process.execPath, [COMMAND, ...args]).catch((error: unknown) => error);
  expect(outcome).toMatchObject({ code: 1, stderr: expect.stringContaining(message) as string });
});
