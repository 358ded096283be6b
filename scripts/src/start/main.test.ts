import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { processStart } from '../processes/process-identity.ts';
import { freePort } from '../ports.ts';
import { temporaryDir } from '../testing/temporary-dir.ts';

const MAIN = fileURLToPath(new URL('./main.ts', import.meta.url));

interface Ended {
  code: number;
  stdout: string;
  stderr: string;
}

function start(...args: string[]): Promise<Ended> {
  return new Promise((resolve) => {
    execFile(process.execPath, [MAIN, ...args], { timeout: 20_000 }, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr: stderr.trim() });
    });
  });
}

/** A server one port above a free one: what connects out may have taken that port in between, and another pair is tried. */
async function listenAboveFreePort(): Promise<{ base: number; server: Server }> {
  while (true) {
    const base = Math.min(await freePort(), 60_000);
    const server = createServer().listen(base + 1, '127.0.0.1');
    const listens = await once(server, 'listening').then(
      () => true,
      () => false,
    );
    if (listens) return { base, server };
  }
}

describe('npm start', () => {
  test('tells its options', async () => {
    const { code, stdout } = await start('--help');
    expect([code, stdout]).toEqual([0, expect.stringContaining('--data DIR')]);
  });

  test('refuses an unknown option in one line', async () => {
    const { code, stderr } = await start('--wep');
    expect([code, stderr]).toEqual([1, "kindred: Unknown option '--wep'. npm start -- --help lists the options."]);
  });

  test('refuses a port in use in one line, naming port, part and option', async () => {
    await using dir = await temporaryDir();
    const { base, server } = await listenAboveFreePort();
    const { code, stderr } = await start('--state', dir.path, '--port', String(base), '--no-seed', '--no-web');
    server.close();
    expect([code, stderr]).toEqual([
      1,
      `kindred: Port ${base + 1} (gateway) is in use: stop what listens there, or choose others with --port N.`,
    ]);
  });

  test('refuses a folder in which another one runs in one line', async () => {
    await using dir = await temporaryDir();
    const supervisor = {
      name: 'supervisor',
      pid: process.pid,
      start: processStart(process.pid),
      stopSignal: 'SIGTERM',
    };
    const run = { supervisor, address: 'http://localhost:4000', children: [] };
    writeFileSync(join(dir.path, 'processes.json'), JSON.stringify(run));
    const { code, stderr } = await start('--state', dir.path);
    expect([code, stderr]).toEqual([
      1,
      expect.stringMatching(/^kindred: Kindred is running already \(process \d+, http.*\)/),
    ]);
    expect(stderr.split('\n')).toHaveLength(1);
  });
});
