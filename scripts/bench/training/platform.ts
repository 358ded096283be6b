import { readFileSync } from 'node:fs';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePorts, type Ports } from '../../src/ports.ts';
import { startChild } from '../../src/processes/start-child.ts';
import { ROOT } from '../../src/root.ts';
import { hiddenDir } from '../../src/services/postgres.ts';
import { openSecrets, type Secrets } from '../../src/start/secrets.ts';
import { openStateFolder, type StateFolder } from '../../src/start/state-folder.ts';
import { waitUntil } from '../../src/wait-until.ts';

/** Everything that `npm start` starts but the dashboard, in a folder and on ports of its own. */
export interface TrainingPlatform extends AsyncDisposable {
  folder: StateFolder;
  ports: Ports;
  secrets: Secrets;
  gatewayUrl: string;
  /** Its parts by name. */
  processes(): Map<string, { pid: number }>;
}

const MAIN = 'scripts/src/start/main.ts';
const READY_WITHIN_MS = 300_000;
const GRACE_MS = 30_000;

export async function startTrainingPlatform(): Promise<TrainingPlatform> {
  const root = await mkdtemp(join(tmpdir(), 'kindred-bench-'));
  await chmod(root, 0o755); // PostgreSQL may run as another user
  const folder = openStateFolder(root);
  const { base, ports } = await freePorts();
  const child = await startChild({
    name: 'platform',
    command: process.execPath,
    args: [join(ROOT, MAIN), '--state', root, '--port', String(base), '--no-web', '--no-seed'],
    cwd: ROOT,
    logPath: join(root, 'start.log'),
    stopSignal: 'SIGINT',
  });
  const stop = async (): Promise<void> => {
    await child.stop(GRACE_MS);
    await rm(root, { recursive: true, force: true });
    await rm(hiddenDir(folder.postgres), { recursive: true, force: true });
  };
  const isReady = async (): Promise<boolean> => (await fetch(`http://127.0.0.1:${ports.gateway}/health/ready`)).ok;
  const ended = child.exited.then(({ code }) => {
    throw new Error(`The platform ended with ${code}: ${readFileSync(child.logPath, 'utf8').slice(-500)}`);
  });
  // Later ends are no matter of the start's.
  ended.catch(() => undefined);
  try {
    const ready = waitUntil(isReady, { what: 'The platform', timeoutMs: READY_WITHIN_MS, intervalMs: 500 });
    await Promise.race([ready, ended]);
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    folder,
    ports,
    secrets: openSecrets(folder.secrets),
    gatewayUrl: `http://127.0.0.1:${ports.gateway}/graphql`,
    processes: () => readProcesses(folder.registry),
    [Symbol.asyncDispose]: stop,
  };
}

function readProcesses(path: string): Map<string, { pid: number }> {
  const { children } = JSON.parse(readFileSync(path, 'utf8')) as { children: { name: string; pid: number }[] };
  return new Map(children.map(({ name, pid }) => [name, { pid }]));
}
