import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { OBJECT_STORE_ENV, SERVER_ENV } from '@kindred/service/env';
import { ROOT } from '../root.ts';

const SHARED_SHAPES = { SERVER_ENV, OBJECT_STORE_ENV };

/**
 * The env.ts beside a service's entry point (the web app's is in `src`). Workers share one, a folder above them, and may have
 * one of their own beside it, such as data-env.ts.
 */
function envFiles(entryPoint: string): string[] {
  const folder = dirname(entryPoint);
  if (!folder.endsWith('workers')) return [join(folder, 'env.ts')];
  const own = join(dirname(folder), `${basename(entryPoint, '.ts')}-env.ts`);
  return [join(dirname(folder), 'env.ts'), ...(existsSync(join(ROOT, own)) ? [own] : [])];
}

/** Every key that a service's env.ts reads: those it names itself and those of the shared shapes it spreads. */
export function readEnvKeys(entryPoint: string): Set<string> {
  const source = envFiles(entryPoint)
    .map((file) => readFileSync(join(ROOT, file), 'utf8'))
    .join('\n');
  const own = [...source.matchAll(/^\s+([A-Z][A-Z0-9_]*):/gm)].map((match) => String(match[1]));
  const shared = Object.entries(SHARED_SHAPES).flatMap(([name, shape]) =>
    source.includes(`...${name}`) ? Object.keys(shape) : [],
  );
  return new Set([...own, ...shared]);
}

/** Loads a service's env.ts in a process with exactly this environment; null when it accepts it, else what it says. */
export function refusalOfEnv(entryPoint: string, environment: Record<string, string>): string | null {
  const load = envFiles(entryPoint)
    .map((file) => `(await import(${JSON.stringify(join(ROOT, file))})).readEnv?.();`)
    .join(' ');
  const child = spawnSync(process.execPath, ['--input-type=module', '-e', load], {
    env: environment,
    encoding: 'utf8',
  });
  return child.status === 0 ? null : child.stderr;
}
