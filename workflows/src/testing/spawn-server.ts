import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

/** A process as operators run it. */
export interface SpawnedServer extends AsyncDisposable {
  child: ChildProcess;
  /** Where it listens. */
  url: string;
}

/** Starts a `main.ts` with this environment and no other. */
export function spawnProcess(file: URL, env: Record<string, string>): ChildProcess {
  return spawn(process.execPath, [fileURLToPath(file)], {
    env: { NODE_ENV: 'test', PORT: '0', ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
}

/** Starts one and resolves once it says where it listens. */
export async function spawnServer(file: URL, env: Record<string, string>): Promise<SpawnedServer> {
  const child = spawnProcess(file, env);
  const exited = once(child, 'exit');
  const url = await firstUrl(child, file);
  return {
    child,
    url,
    async [Symbol.asyncDispose]() {
      child.kill('SIGTERM');
      await exited;
    },
  };
}

async function firstUrl({ stdout }: ChildProcess, file: URL): Promise<string> {
  if (stdout === null) {
    throw new Error('Wanted a process with a piped stdout, got none.');
  }
  const lines = createInterface({ input: stdout });
  for await (const line of lines) {
    const { url } = JSON.parse(line) as { url?: string };
    if (url !== undefined) {
      stdout.resume();
      return url;
    }
  }
  throw new Error(`${file.pathname} ended before it worked.`);
}
