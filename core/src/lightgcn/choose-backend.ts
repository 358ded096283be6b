import type { BackendOptions, LightGcnBackend, TrainedTables } from './backend.ts';
import type { InteractionGraph } from './graph.ts';
import type { CompleteHyperparameters } from './hyperparameters.ts';
import { type LightGcnAddonState, loadLightGcnAddon } from './native-addon.ts';
import { createNativeBackend } from './native-backend.ts';
import { createReferenceBackend } from './reference-backend.ts';

/** A back-end that was asked for by name does not work here; the message says why. */
export class BackendUnavailableError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'BackendUnavailableError';
  }
}

/** A back-end, and why it is not a faster one; null when none is faster or it was asked for. */
export interface ChosenBackend {
  readonly backend: LightGcnBackend;
  readonly notice: string | null;
}

/**
 * The back-end asked for; for `auto`, the default, `native` where its addon loads and else `reference`.
 * @throws BackendUnavailableError when `native` is asked for by name and its addon does not load.
 */
export function chooseBackend(
  model: { graph: InteractionGraph; hyperparameters: CompleteHyperparameters; state: TrainedTables },
  options: BackendOptions = {},
  addonState: LightGcnAddonState = loadLightGcnAddon(),
): ChosenBackend {
  const wanted = options.backend ?? 'auto';
  const { graph, hyperparameters, state } = model;
  if (wanted === 'reference') {
    return { backend: createReferenceBackend(graph, hyperparameters, state), notice: null };
  }
  if (addonState.addon) return { backend: createNativeBackend(addonState.addon, model, options), notice: null };
  if (wanted === 'native') {
    throw new BackendUnavailableError(`The native back-end of LightGCN was asked for, but ${addonState.reason}.`);
  }
  const notice = `LightGCN trains in TypeScript, many times slower than in C++: ${addonState.reason}.`;
  return { backend: createReferenceBackend(graph, hyperparameters, state), notice };
}
