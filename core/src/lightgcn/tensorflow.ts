import type * as TensorFlowCore from '@tensorflow/tfjs-core';
import { createRequire } from 'node:module';
import { completeCpuBackend } from './tfjs-cpu.ts';

/** The operations of TensorFlow.js, the same in each of its packages. */
export type TensorFlow = typeof TensorFlowCore;

/**
 * TensorFlow.js and, for the record of a run, what computes in it and which installed package did not load; or why
 * there is none.
 */
export type TensorFlowState =
  | { readonly tf: TensorFlow; readonly detail: string }
  | { readonly tf: null; readonly reason: string };

/** Packages that together bring TensorFlow.js, fastest first; the last are plain JavaScript, for tests. */
const CANDIDATES: readonly (readonly string[])[] = [
  ['@tensorflow/tfjs-node-gpu'],
  ['@tensorflow/tfjs-node'],
  ['@tensorflow/tfjs-core', '@tensorflow/tfjs-backend-cpu'],
];

const MEMBERS = ['backend', 'gather', 'getBackend', 'unsortedSegmentSum', 'valueAndGrad', 'version_core'];

let loaded: TensorFlowState | null = null;

/** Loads the fastest TensorFlow.js that is installed, once per thread; never throws. Nothing requires one. */
export function loadTensorFlow(): TensorFlowState {
  loaded ??= loadTensorFlowFrom(import.meta.url);
  return loaded;
}

/** As `loadTensorFlow`, of what a module at `place`, a path or file URL, can require, and without remembering. */
export function loadTensorFlowFrom(place: string): TensorFlowState {
  const require = createRequire(place);
  const broken: string[] = [];
  for (const names of CANDIDATES) {
    if (!names.every((name) => isInstalled(require, name))) continue;
    const label = names.join(' with ');
    try {
      const tf = load(require, names);
      return { tf, detail: [`${tf.getBackend()} of ${label} ${tf.version_core}`, ...broken].join('; ') };
    } catch (error) {
      const [firstLine] = (error instanceof Error ? error.message : String(error)).split('\n');
      broken.push(`${label} did not load: ${firstLine}`);
    }
  }
  const wanted = CANDIDATES.map((names) => names.join(' with ')).join(', ');
  return {
    tf: null,
    reason: `none of ${wanted} ${broken.length > 0 ? `loads (${broken.join('; ')})` : 'is installed'}`,
  };
}

function isInstalled(require: NodeJS.Require, name: string): boolean {
  try {
    require.resolve(name);
    return true;
  } catch {
    return false;
  }
}

function load(require: NodeJS.Require, names: readonly string[]): TensorFlow {
  restoreNodeUtil(require);
  const [tf]: unknown[] = names.map((name) => require(name));
  if (!isTensorFlow(tf)) throw new TypeError(`wanted ${MEMBERS.join(', ')}, got ${Object.keys(Object(tf)).join(', ')}`);
  // The first call chooses the back-end.
  tf.backend();
  if (tf.getBackend() === 'cpu') completeCpuBackend(tf, require);
  return tf;
}

function isTensorFlow(value: unknown): value is TensorFlow {
  return typeof value === 'object' && value !== null && MEMBERS.every((member) => member in value);
}

/** The latest tfjs-node, 4.22.0, calls a function that `util` of Node 23 and later no longer has. */
function restoreNodeUtil(require: NodeJS.Require): void {
  const util: object = require('node:util');
  if ('isNullOrUndefined' in util) return;
  Object.assign(util, { isNullOrUndefined: (value: unknown) => value === null || value === undefined });
}
