import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { OBJECT_STORE_ENV, SERVER_ENV } from '@kindred/service/env';
import { ROOT } from '../root.ts';

const SHARED_SHAPES = { SERVER_ENV, OBJECT_STORE_ENV };

/** The env.ts beside a service's entry point, or one folder above it (workers share one; the web app's is in `src`). */
function envFile(entryPoint: string): string {
  const folder = dirname(entryPoint);
  return folder.endsWith('workers') ? join(dirname(folder), 'env.ts') : join(folder, 'env.ts');
}

/** Every key that a service's env.ts reads: those it names itself and those of the shared shapes it spreads. */
export function readEnvKeys(entryPoint: string): Set<string> {
  const source = readFileSync(join(ROOT, envFile(entryPoint)), 'utf8');
  const own = [...source.matchAll(/^\s+([A-Z][A-Z0-9_]*):/gm)].map((match) => String(match[1]));
  const shared = Object.entries(SHARED_SHAPES).flatMap(([name, shape]) =>
    source.includes(`...${name}`) ? Object.keys(shape) : [],
  );
  return new Set([...own, ...shared]);
}

/** Loads a service's env.ts in a process with exactly this environment; null when it accepts it, else what it says. */
export function refusalOfEnv(entryPoint: string, environment: Record<string, string>): string | null {
  const load = `const module = await import(${JSON.stringify(join(ROOT, envFile(entryPoint)))}); module.readEnv?.();`;
  const child = spawnSync(process.execPath, ['--input-type=module', '-e', load], {
    env: environment,
    encoding: 'utf8',
  });
  return child.status === 0 ? null : child.stderr;
}
