// Serves a supergraph that is not ours, for audits of federation: `npm run serve-supergraph -w gateway -- FILE [--port N]`.
import { readFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { startSupergraphServer } from './supergraph-server.ts';

const USAGE = 'serve-supergraph FILE [--host 127.0.0.1] [--port 4000]';

async function serve(): Promise<string> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { host: { type: 'string', default: '127.0.0.1' }, port: { type: 'string', default: '4000' } },
  });
  const [file, ...rest] = positionals;
  if (file === undefined || rest.length > 0) throw new Error(`Wanted one file, got ${positionals.length}`);
  if (!/^\d{1,5}$/.test(values.port)) throw new Error(`Wanted a port from 0 to 65535, got "${values.port}"`);
  const at = { host: values.host, port: Number(values.port) };
  return `${(await startSupergraphServer(await readFile(file, 'utf8'), at)).url}/graphql`;
}

try {
  process.stdout.write(`${await serve()}\n`);
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n${USAGE}\n`);
  process.exitCode = 1;
}
