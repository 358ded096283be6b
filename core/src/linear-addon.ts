import type { AddonForm, AddonState } from '@kindred/native/load-addon';
import { loadAddon } from './load-addon.ts';
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
export type LinearAddonState = AddonState<LinearAddon>;

export const LINEAR_ADDON: AddonForm<LinearAddon> = { name: 'linear', members: ['kernelNames', 'filterHistories'] };

/** Loads the addon once per thread; never throws. */
export function loadLinearAddon(): LinearAddonState {
  return loadAddon(LINEAR_ADDON);
}
