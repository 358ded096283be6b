import { join } from 'node:path';
import { startChild } from '../processes/start-child.ts';
import type { Part } from '../processes/supervise.ts';
import { ROOT } from '../root.ts';
import { waitUntil } from '../wait-until.ts';
import type { AppSpec } from './app-specs.ts';
import type { StateFolder } from './state-folder.ts';

const READY_TIMEOUT_MS = 120_000;

/** What of our own environment the servers see: what they are configured with is set one by one. */
const PASSED_ON =
  /^(PATH|HOME|USER|LANG|LC_.*|TZ|TMPDIR|LD_LIBRARY_PATH|NODE_EXTRA_CA_CERTS|OTEL_.*|NODE_ENV|LOG_LEVEL)$/;

/** A server or worker of ours as a part to supervise. */
export function appPart(spec: AppSpec, folder: StateFolder): Part {
  return {
    name: spec.name,
    launch: () =>
      startChild({
        name: spec.name,
        command: process.execPath,
        args: [...(spec.nodeFlags ?? []), join(ROOT, spec.script)],
        cwd: ROOT,
        env: environmentOf(spec, folder),
        logPath: folder.log(spec.name),
      }),
    waitUntilReady: (signal) =>
      waitUntil(() => isReady(spec.port, signal), { what: spec.title, timeoutMs: READY_TIMEOUT_MS, signal }),
  };
}

function environmentOf(spec: AppSpec, folder: StateFolder): NodeJS.ProcessEnv {
  const passedOn = Object.entries(process.env).filter(([key]) => PASSED_ON.test(key));
  return {
    // A developer's machine: the gateway then answers introspection. The web app is built, and sets production itself.
    NODE_ENV: 'development',
    ...Object.fromEntries(passedOn),
    NODE_COMPILE_CACHE: join(folder.root, 'compile-cache'),
    // Idle FAISS threads must not spin on cores that others need.
    OMP_WAIT_POLICY: 'passive',
    HOST: '127.0.0.1',
    PORT: String(spec.port),
    ...spec.env,
  };
}

async function isReady(port: number, signal: AbortSignal): Promise<boolean> {
  const limit = AbortSignal.any([signal, AbortSignal.timeout(5_000)]);
  const response = await fetch(`http://127.0.0.1:${port}/health/ready`, { signal: limit });
  const body = await response.text();
  if (response.ok) return true;
  throw new Error(`/health/ready answered ${response.status} ${body.slice(0, 200)}`);
}
