import { availableParallelism } from 'node:os';
import { loadLinearAddon } from '../linear-addon.ts';
import type { LinearAlgebra } from './linear-algebra.ts';
import { referenceAlgebra } from './reference-algebra.ts';

/** The native algebra on all cores, or the reference with a notice that says why. */
export function chooseAlgebra(options: { threads?: number; prefer?: LinearAlgebra['kind'] } = {}): LinearAlgebra {
  const state = loadLinearAddon();
  if (options.prefer === 'reference') return { ...referenceAlgebra, notice: 'plain TypeScript was asked for' };
  if (!state.addon) return { ...referenceAlgebra, notice: state.reason };
  const { addon } = state;
  const threads = options.threads ?? availableParallelism();
  return {
    kind: 'native',
    notice: null,
    multiply: (product) => addon.multiply({ ...product, threads }),
    multiplySparse: (product) => addon.multiplySparse({ ...product, threads }),
    invertPositive: (input) => addon.invertPositive({ ...input, threads }),
    solveLeastSquares: (problem) => addon.solveLeastSquares({ ...problem, threads }),
    bprSteps: (steps) => addon.bprSteps({ ...steps, threads }),
    selectBest: (selection) => addon.selectBest({ ...selection, threads }),
    filterHistories: (filter) => addon.filterHistories({ ...filter, threads }),
  };
}
