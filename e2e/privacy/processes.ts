import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Servers, untilReady } from '../isolation/servers.ts';
import { freePortBlock } from '../support/free-ports.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const WORKERS = ['workflows', 'data', 'train-cpu'];

/** The workers, and a second replica of recommendations, beside servers that run already. */
export interface MoreProcesses extends AsyncDisposable {
  replicaUrl: string;
}

export async function startMoreProcesses({ environment }: Servers): Promise<MoreProcesses> {
  const firstPort = await freePortBlock(WORKERS.length + 1);
  const scripts = [
    'subgraphs/recommendation/src/main.ts',
    ...WORKERS.map((queue) => `workflows/src/workers/${queue}.ts`),
  ];
  let text = '';
  const children = scripts.map((script, index) => {
    const env = { ...environment, LOG_LEVEL: 'warn', PORT: String(firstPort + index) };
    const child = spawn(process.execPath, [join(ROOT, script)], { cwd: ROOT, env, stdio: ['ignore', 'pipe', 'pipe'] });
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (chunk: Buffer) => (text += chunk.toString('utf8')));
    return child;
  });
  const dispose = async () => {
    const ended = children.filter(({ exitCode }) => exitCode === null).map((child) => once(child, 'exit'));
    for (const child of children) child.kill('SIGTERM');
    await Promise.all(ended);
  };
  const urls = scripts.map((_script, index) => `http://127.0.0.1:${firstPort + index}`);
  try {
    for (const url of urls) await untilReady(url, () => text);
  } catch (error) {
    await dispose();
    throw error;
  }
  return { replicaUrl: urls[0] ?? '', [Symbol.asyncDispose]: dispose };
}
