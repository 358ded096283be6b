import type { Answer, BackendKind, BackendOptions, LightGcnBackend, TrainedTables } from './backend.ts';
import type { InteractionGraph } from './graph.ts';
import type { CompleteHyperparameters } from './hyperparameters.ts';
import { type LightGcnAddonState, loadLightGcnAddon } from './native-addon.ts';
import { createNativeBackend } from './native-backend.ts';
import { createReferenceBackend } from './reference-backend.ts';
import { loadTensorFlow, type TensorFlowState } from './tensorflow.ts';
import { createTfjsBackend } from './tfjs-backend.ts';

/** A back-end that was asked for by name does not work here; the message says why. */
export class BackendUnavailableError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'BackendUnavailableError';
  }
}

/** What a back-end computes: `state` is read and written between its calls. */
export interface BackendModel {
  readonly graph: InteractionGraph;
  readonly hyperparameters: CompleteHyperparameters;
  readonly state: TrainedTables;
}

/** What a back-end needs of this machine, for tests to take away. */
export interface BackendSources {
  readonly native: () => LightGcnAddonState;
  readonly tensorFlow: () => TensorFlowState;
}

/** A back-end, and why it is this one: that it was asked for, or why each faster one does not work here. */
export interface ChosenBackend {
  readonly backend: LightGcnBackend;
  readonly reason: string;
}

/** A back-end, or why there is none. */
type Opened = LightGcnBackend | { readonly unavailable: string };

type Opener = (model: BackendModel, options: BackendOptions, sources: BackendSources) => Answer<Opened>;

const OPENERS: Record<BackendKind, Opener> = {
  native: (model, options, { native }) => {
    const state = native();
    return state.addon ? createNativeBackend(state.addon, model, options) : { unavailable: state.reason };
  },
  reference: ({ graph, hyperparameters, state }) => createReferenceBackend(graph, hyperparameters, state),
  tfjs: (model, _options, { tensorFlow }) => {
    const state = tensorFlow();
    return state.tf ? createTfjsBackend(state, model) : { unavailable: state.reason };
  },
};

/** What `auto` tries, fastest first; the last always works. TensorFlow.js is slower than `native` and kept for who asks. */
const BY_SPEED: readonly BackendKind[] = ['native', 'reference'];

/**
 * The back-end asked for; for `auto`, the default, the fastest that works here. Its owner closes it.
 * @throws BackendUnavailableError when one is asked for by name and does not work here.
 */
export async function chooseBackend(
  model: BackendModel,
  options: BackendOptions = {},
  sources: BackendSources = { native: loadLightGcnAddon, tensorFlow: loadTensorFlow },
): Promise<ChosenBackend> {
  const { backend: wanted = 'auto' } = options;
  const missing: string[] = [];
  for (const kind of wanted === 'auto' ? BY_SPEED : [wanted]) {
    const opened = await OPENERS[kind](model, options, sources);
    if (!('unavailable' in opened)) {
      const reason = wanted === 'auto' ? ['the fastest that works here', ...missing].join('; ') : 'asked for by name';
      return { backend: opened, reason };
    }
    missing.push(`no ${kind}: ${opened.unavailable}`);
  }
  throw new BackendUnavailableError(`Wanted the back-end ${wanted} of LightGCN, got ${missing.join('; ')}.`);
}
