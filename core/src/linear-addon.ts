import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import type { LinearAlgebra } from './models/linear-algebra.ts';

/** How a call of the addon is carried out: see core/native/linear.cc. */
interface Execution {
  readonly threads: number;
  /** One of `kernelNames`; the best of this machine where absent. */
  readonly kernels?: string;
}

type NativeCall<Call> = Call extends (work: infer Work) => infer Result ? (work: Work & Execution) => Result : never;

/** The calls of `LinearAlgebra`, each with a number of threads. Errors carry a `code` that starts with LINEAR_. */
export type LinearAddon = { readonly kernelNames: readonly string[] } & {
  readonly [Name in Exclude<keyof LinearAlgebra, 'kind' | 'notice'>]: NativeCall<LinearAlgebra[Name]>;
};

/** The addon, or why there is none. */
export type LinearAddonState = { readonly addon: LinearAddon } | { readonly addon: null; readonly reason: string };

const BUILD_FOLDER = join(import.meta.dirname, '..', 'build');

let loaded: LinearAddonState | undefined;

/** Loads core/build/linear.node once per thread; never throws. */
export function loadLinearAddon(): LinearAddonState {
  loaded ??= loadLinearFrom(BUILD_FOLDER);
  return loaded;
}

/** As `loadLinearAddon`, from another folder and without remembering. */
export function loadLinearFrom(buildFolder: string): LinearAddonState {
  const path = join(buildFolder, 'linear.node');
  if (!existsSync(path)) {
    const reasonPath = join(buildFolder, 'linear-unavailable.txt');
    const reason = existsSync(reasonPath)
      ? readFileSync(reasonPath, 'utf8').trim()
      : 'the addon was not built (npm run build -w core)';
    return { addon: null, reason };
  }
  try {
    const addon: unknown = createRequire(import.meta.url)(path);
    if (isLinearAddon(addon)) return { addon };
    return { addon: null, reason: `${path} is not the linear algebra addon` };
  } catch (error) {
    return { addon: null, reason: error instanceof Error ? error.message : String(error) };
  }
}

function isLinearAddon(value: unknown): value is LinearAddon {
  return typeof value === 'object' && value !== null && 'filterHistories' in value && 'kernelNames' in value;
}
