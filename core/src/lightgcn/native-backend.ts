import { availableParallelism } from 'node:os';
import type { BackendOptions, LightGcnBackend, TrainedTables } from './backend.ts';
import type { InteractionGraph } from './graph.ts';
import type { CompleteHyperparameters } from './hyperparameters.ts';
import type { LightGcnAddon } from './native-addon.ts';
import { layerWeights } from './propagate.ts';

/**
 * The back-end in C++. Its sums depend on the number of threads in their last bits, not on the threads' speed: equal
 * states and thread counts go on equally, bit for bit.
 */
export function createNativeBackend(
  { Trainer }: LightGcnAddon,
  model: { graph: InteractionGraph; hyperparameters: CompleteHyperparameters; state: TrainedTables },
  { threads = availableParallelism(), instructionSet = '' }: BackendOptions = {},
): LightGcnBackend {
  const { userCount, nodeCount, offsets, neighbors } = model.graph;
  const { dimension, regularization, outputLayers } = model.hyperparameters;
  const { ego, firstMoment, secondMoment } = model.state;
  const weights = Float32Array.from(layerWeights(outputLayers));
  const graph = [userCount, nodeCount, offsets, neighbors] as const;
  const trainer = new Trainer(...graph, dimension, weights, threads, instructionSet);
  return {
    kind: 'native',
    detail: `${trainer.instructionSet}, ${threads} ${threads === 1 ? 'thread' : 'threads'}`,
    begin: () => trainer.loadState(ego, firstMoment, secondMoment),
    end: () => trainer.storeState(ego, firstMoment, secondMoment),
    propagate: (input, output) => trainer.propagate(input, output),
    bprLoss: ({ users, positives, negatives }) => trainer.bprLoss(users, positives, negatives, regularization),
    softmaxLoss: ({ users, positives }, { chunkSize, temperature, secondTemperature, itemBias }) =>
      trainer.softmaxLoss(users, positives, regularization, chunkSize, temperature, secondTemperature, itemBias),
    gradient: () => {
      const output = new Float32Array(ego.length);
      trainer.gradient(output);
      return output;
    },
    step: ({ rate, rootCorrection, firstDecay, secondDecay, epsilon }) =>
      trainer.step(rate, rootCorrection, firstDecay, secondDecay, epsilon),
    close: () => trainer.close(),
    timeLayer: (repeats) => trainer.timeLayer(repeats),
  };
}
