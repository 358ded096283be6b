// In a child process: the speed of one propagation layer, in turns with the ceilings so that a busy machine slows both.
import { buildGraph, type InteractionGraph } from '../../src/lightgcn/graph.ts';
import { createLightGcn, type LightGcn } from '../../src/lightgcn/light-gcn.ts';
import { openDevice } from '../../src/lightgcn/webgpu/device.ts';
import { measureDeviceBandwidth } from '../../src/lightgcn/webgpu/measure-bandwidth.ts';
import { readAsChild } from '../data/data-sets.ts';
import { answerParent } from '../in-child.ts';
import { describeMachine } from '../machine.ts';
import { type Ceilings, createCeilings, rowFloats } from './ceilings.ts';
import { ceilingThreads, type TrainingTask } from './configurations.ts';
import type { TrainingData } from './training-data.ts';

export interface LayerResult {
  readonly layerMs: number;
  /** Of the neighbours' rows, each as often as it is read. */
  readonly bytesPerSecond: number;
  /** Null on a processor without the native addon. */
  readonly ceilings: Ceilings | null;
  readonly rounds: number;
}

const MOST_ROUNDS = 10;
const LAYERS_IN_ROUND = 5;
const ROUNDS_MS = 20_000;
/** Layers of the deeper of two models: their difference is layers alone, without what comes before and after. */
const DEPTH = 3;

await answerParent((task) => measureLayer(task as TrainingTask));

function measureLayer(task: TrainingTask): Promise<LayerResult> {
  return task.options.backend === 'webgpu' ? measureOnDevice(task) : measureOnProcessor(task);
}

/** On a GPU: timed by the device's own clock where it has one, beside a triad over the device's memory. */
async function measureOnDevice({ dataPath, hyperparameters }: TrainingTask): Promise<LayerResult> {
  const { train } = readAsChild(dataPath) as TrainingData;
  const graph = buildGraph(train);
  const { dimension } = hyperparameters;
  const open = await openDevice({ needsHardware: false });
  const measured = await measureDeviceBandwidth(open, graph, { dimension, rounds: MOST_ROUNDS });
  const { layerSeconds, triadBytesPerSecond: triad } = measured;
  return {
    layerMs: layerSeconds * 1000,
    bytesPerSecond: rowBytesOf(graph, dimension) / layerSeconds,
    ceilings: { ownRows: null, uniformRows: null, triad },
    rounds: MOST_ROUNDS,
  };
}

/** Bytes of the neighbours' rows that one layer reads, each as often as it is read. */
function rowBytesOf({ neighbors }: InteractionGraph, dimension: number): number {
  return neighbors.length * rowFloats(dimension) * 4;
}

async function measureOnProcessor({ dataPath, hyperparameters, options }: TrainingTask): Promise<LayerResult> {
  const { train } = readAsChild(dataPath) as TrainingData;
  const create = async (layers: number) => {
    const outputLayers = Array.from({ length: layers + 1 }, (_, layer) => layer);
    return createLightGcn(train, { ...hyperparameters, layers, outputLayers }, options);
  };
  const [flat, deep] = [await create(1), await create(DEPTH)];
  const { dimension } = flat.hyperparameters;
  const { lastLevelCacheBytes } = describeMachine();
  const settings = { dimension, threads: ceilingThreads(options), lastLevelCacheBytes };
  const measureCeilings = createCeilings(flat.graph, settings);
  let [layerMs, flatMs, deepMs] = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY];
  let ceilings: Ceilings | null = null;
  let rounds = 0;
  const { backend } = flat;
  if (backend.timeLayer) await backend.begin();
  const began = performance.now();
  while (rounds < 2 || (rounds < MOST_ROUNDS && performance.now() - began < ROUNDS_MS)) {
    for (let pass = 0; pass < LAYERS_IN_ROUND; pass++) {
      if (backend.timeLayer) layerMs = Math.min(layerMs, 1000 * (await backend.timeLayer(1)));
      else {
        flatMs = Math.min(flatMs, await timePropagation(flat));
        deepMs = Math.min(deepMs, await timePropagation(deep));
        layerMs = (deepMs - flatMs) / (DEPTH - 1);
      }
    }
    ceilings = higher(ceilings, measureCeilings?.() ?? null);
    rounds += 1;
  }
  flat.backend.close();
  deep.backend.close();
  return { layerMs, bytesPerSecond: rowBytesOf(flat.graph, dimension) / (layerMs / 1000), ceilings, rounds };
}

async function timePropagation({ backend, state }: LightGcn): Promise<number> {
  const output = new Float32Array(state.ego.length);
  const began = performance.now();
  await backend.propagate(state.ego, output);
  return performance.now() - began;
}

function higher(first: Ceilings | null, second: Ceilings | null): Ceilings | null {
  if (!first || !second) return first ?? second;
  return {
    ownRows: Math.max(first.ownRows ?? 0, second.ownRows ?? 0),
    uniformRows: Math.max(first.uniformRows ?? 0, second.uniformRows ?? 0),
    triad: Math.max(first.triad, second.triad),
  };
}
