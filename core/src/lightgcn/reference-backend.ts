import type { LightGcnBackend, TrainedTables } from './backend.ts';
import { bprGradient } from './bpr.ts';
import type { InteractionGraph } from './graph.ts';
import type { CompleteHyperparameters } from './hyperparameters.ts';
import { createPropagation, layerWeights } from './propagate.ts';
import { softmaxGradient } from './softmax.ts';

/** The back-end in plain TypeScript: what the others are checked against, and what serves where they cannot. One thread. */
export function createReferenceBackend(
  graph: InteractionGraph,
  hyperparameters: CompleteHyperparameters,
  state: TrainedTables,
): LightGcnBackend {
  const { dimension, regularization, outputLayers } = hyperparameters;
  const { ego } = state;
  const propagate = createPropagation(graph, dimension, layerWeights(outputLayers));
  const final = new Float32Array(ego.length);
  const finalGradient = new Float32Array(ego.length);
  const tables = { dimension, userCount: graph.userCount, final, finalGradient };
  const decay = createDecay(graph.nodeCount, dimension, regularization);
  // By the final vectors until propagated back, which happens once, then by the ego vectors.
  let isPropagatedBack = true;
  const gradient = () => {
    if (!isPropagatedBack) {
      propagate(finalGradient, finalGradient);
      decay.addGradient(ego, finalGradient);
      isPropagatedBack = true;
    }
    return finalGradient;
  };
  return {
    kind: 'reference',
    detail: 'TypeScript, 1 thread',
    begin: () => undefined,
    end: () => undefined,
    propagate,
    bprLoss: (batch) => {
      propagate(ego, final);
      isPropagatedBack = false;
      return bprGradient(tables, batch) + decay.countBatch(ego, [batch.users, batch.positives, batch.negatives]);
    },
    softmaxLoss: (batch, settings) => {
      propagate(ego, final);
      isPropagatedBack = false;
      return softmaxGradient(tables, batch, settings) + decay.countBatch(ego, [batch.users, batch.positives]);
    },
    gradient,
    step: ({ rate, rootCorrection, firstDecay, secondDecay, epsilon }) => {
      const { firstMoment, secondMoment } = state;
      const slopes = gradient();
      for (let at = 0; at < ego.length; at++) {
        const slope = slopes[at] as number;
        const first = firstDecay * (firstMoment[at] as number) + (1 - firstDecay) * slope;
        const second = secondDecay * (secondMoment[at] as number) + (1 - secondDecay) * slope * slope;
        firstMoment[at] = first;
        secondMoment[at] = second;
        ego[at] = (ego[at] as number) - (rate * first) / (Math.sqrt(second) * rootCorrection + epsilon);
      }
    },
    close: () => undefined,
  };
}

interface Decay {
  /** lambda / 2 times the squared length of the ego vectors of all occurrences in the batch, per position. */
  countBatch(ego: Float32Array, nodeLists: readonly Int32Array[]): number;
  /** Adds the gradient of that: lambda * occurrences / batch size times the ego vector. */
  addGradient(ego: Float32Array, gradient: Float32Array): void;
}

function createDecay(nodeCount: number, dimension: number, regularization: number): Decay {
  if (regularization === 0) return { countBatch: () => 0, addGradient: () => undefined };
  const occurrences = new Int32Array(nodeCount);
  let batchSize = 1;
  return {
    countBatch: (ego, nodeLists) => {
      occurrences.fill(0);
      for (const nodes of nodeLists) for (const node of nodes) occurrences[node] = (occurrences[node] as number) + 1;
      batchSize = nodeLists[0]?.length ?? 1;
      let total = 0;
      for (let node = 0; node < nodeCount; node++) {
        const times = occurrences[node] as number;
        if (times === 0) continue;
        let own = 0;
        for (let at = node * dimension; at < (node + 1) * dimension; at++) own += (ego[at] as number) ** 2;
        total += times * own;
      }
      return ((regularization / 2) * total) / batchSize;
    },
    addGradient: (ego, gradient) => {
      for (let node = 0; node < nodeCount; node++) {
        const times = occurrences[node] as number;
        if (times === 0) continue;
        const weight = (regularization * times) / batchSize;
        for (let at = node * dimension; at < (node + 1) * dimension; at++) {
          gradient[at] = (gradient[at] as number) + weight * (ego[at] as number);
        }
      }
    },
  };
}
