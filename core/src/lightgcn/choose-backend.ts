import type { Answer, BackendKind, BackendOptions, LightGcnBackend, TrainedTables } from './backend.ts';
import { BackendUnavailableError } from './backend-error.ts';
import type { InteractionGraph } from './graph.ts';
import type { CompleteHyperparameters } from './hyperparameters.ts';
import { type LightGcnAddonState, loadLightGcnAddon } from './native-addon.ts';
import { createNativeBackend } from './native-backend.ts';
import { createReferenceBackend } from './reference-backend.ts';
import { loadTensorFlow, type TensorFlowState } from './tensorflow.ts';
import { createTfjsBackend } from './tfjs-backend.ts';
import { type DeviceWish, openDevice, type OpenDevice } from './webgpu/device.ts';
import { createWebGpuBackend } from './webgpu/webgpu-backend.ts';

/** What a back-end computes: `state` is read and written between its calls. */
export interface BackendModel {
  readonly graph: InteractionGraph;
  readonly hyperparameters: CompleteHyperparameters;
  readonly state: TrainedTables;
}

/** What a back-end needs of this machine; tests give others. */
export interface BackendSources {
  readonly native: () => LightGcnAddonState;
  readonly webgpu: (wish: DeviceWish) => Promise<OpenDevice>;
  readonly tensorFlow: () => TensorFlowState;
}

const SOURCES: BackendSources = { native: loadLightGcnAddon, webgpu: openDevice, tensorFlow: loadTensorFlow };

/** A back-end, and why it is this one: that it was asked for, or why each faster one does not work here. */
export interface ChosenBackend {
  readonly backend: LightGcnBackend;
  readonly reason: string;
}

/** A back-end, or why there is none. */
type Opened = LightGcnBackend | { readonly unavailable: string };

type Opener = (model: BackendModel, options: BackendOptions, sources: BackendSources) => Answer<Opened>;

const OPENERS: Record<BackendKind, Opener> = {
  webgpu: async (model, { backend }, { webgpu }) => {
    try {
      return await createWebGpuBackend(await webgpu({ needsHardware: backend !== 'webgpu' }), model);
    } catch (error) {
      if (error instanceof BackendUnavailableError) return { unavailable: error.message };
      throw error;
    }
  },
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

/** Every kind of back-end, whether it works here or not. */
export const BACKEND_KINDS = Object.keys(OPENERS) as readonly BackendKind[];

/** What `auto` tries, fastest first; the last always works. TensorFlow.js is slower than `native` and kept for who asks. */
const BY_SPEED: readonly BackendKind[] = ['webgpu', 'native', 'reference'];

/**
 * The back-end asked for; for `auto`, the default, the fastest that works here. Its owner closes it.
 * @throws BackendUnavailableError when one is asked for by name and does not work here.
 */
export async function chooseBackend(
  model: BackendModel,
  options: BackendOptions = {},
  sources: Partial<BackendSources> = {},
): Promise<ChosenBackend> {
  const { backend: wanted = 'auto' } = options;
  const missing: string[] = [];
  for (const kind of wanted === 'auto' ? BY_SPEED : [wanted]) {
    const opened = await OPENERS[kind](model, options, { ...SOURCES, ...sources });
    if (!('unavailable' in opened)) {
      const reason = wanted === 'auto' ? ['the fastest that works here', ...missing].join('; ') : 'asked for by name';
      return { backend: opened, reason };
    }
    missing.push(`no ${kind}: ${opened.unavailable}`);
  }
  throw new BackendUnavailableError(`Wanted the back-end ${wanted} of LightGCN, got ${missing.join('; ')}.`);
}
