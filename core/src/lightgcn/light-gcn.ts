import { InteractionDataError, type InteractionMatrix } from '../interaction-matrix.ts';
import { nextNormal, type RandomState, seedRandom, shuffle } from '../random.ts';
import { type BprTables, bprGradient, sampleTriples, type TripleBatch } from './bpr.ts';
import { buildGraph, type InteractionGraph } from './graph.ts';
import { checkHyperparameters, type Hyperparameters } from './hyperparameters.ts';
import { createPropagation, type NodeTable } from './propagate.ts';

/** All that training continues from: after two equal states the same epochs give the same bits. */
export interface LightGcnState {
  /** Ego vectors `[userCount + itemCount, dimension]`, users first, and their Adam moments. */
  readonly ego: NodeTable;
  readonly firstMoment: NodeTable;
  readonly secondMoment: NodeTable;
  readonly random: RandomState;
  /** Adam steps and whole epochs done. */
  step: number;
  epoch: number;
}

/** A LightGCN in training on one matrix. */
export interface LightGcn {
  readonly hyperparameters: Hyperparameters;
  readonly graph: InteractionGraph;
  readonly state: LightGcnState;
  readonly workspace: Workspace;
}

interface Workspace {
  readonly propagate: (input: NodeTable, output: NodeTable) => void;
  readonly tables: BprTables;
  readonly edgeUsers: Int32Array;
  /** Edges of users who lack at least one item. */
  readonly trainableEdges: Int32Array;
}

export interface EpochResult {
  /** Mean over the epoch's samples of ranking loss and regularisation, before each step. */
  readonly loss: number;
  readonly sampleCount: number;
}

/** Vectors whose inner product is the score. */
export interface Embeddings {
  readonly dimension: number;
  /** `[userCount, dimension]` float32. */
  readonly users: Float32Array;
  /** `[itemCount, dimension]` float32. */
  readonly items: Float32Array;
}

/** The loss or a vector is no longer finite: the learning rate is too high for this data. */
export class TrainingDivergedError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'TrainingDivergedError';
  }
}

/** Standard deviation of the initial ego vectors, as in the authors' code. */
const INITIAL_DEVIATION = 0.1;

/** Adam's decay rates and epsilon (Kingma and Ba 2015). */
const FIRST_DECAY = 0.9;
const SECOND_DECAY = 0.999;
const EPSILON = 1e-8;

/**
 * An untrained model on the distinct pairs of `train`; depends on `hyperparameters.seed` alone.
 * @throws HyperparameterError; InteractionDataError EMPTY without interactions, NO_NEGATIVES when every user has all items.
 */
export function createLightGcn(train: InteractionMatrix, hyperparameters: Hyperparameters): LightGcn {
  checkHyperparameters(hyperparameters);
  const random = seedRandom(hyperparameters.seed);
  const valueCount = (train.userCount + train.itemCount) * hyperparameters.dimension;
  const ego = new Float32Array(valueCount);
  for (let at = 0; at < valueCount; at++) ego[at] = nextNormal(random) * INITIAL_DEVIATION;
  const firstMoment = new Float32Array(valueCount);
  const secondMoment = new Float32Array(valueCount);
  return attachLightGcn(train, hyperparameters, { ego, firstMoment, secondMoment, random, step: 0, epoch: 0 });
}

/** The model that stands at `state`, which it owns from now on; for the same `train` the state came from. */
export function attachLightGcn(
  train: InteractionMatrix,
  hyperparameters: Hyperparameters,
  state: LightGcnState,
): LightGcn {
  if (train.userRows.length === 0) throw new InteractionDataError('EMPTY', 'Wanted interactions to train on, got 0.');
  const graph = buildGraph(train);
  const { dimension, layers, regularization } = hyperparameters;
  const edgeUsers = new Int32Array(graph.edgeCount);
  for (let user = 0; user < graph.userCount; user++) edgeUsers.fill(user, graph.offsets[user], graph.offsets[user + 1]);
  const isTrainable = (user: number) => (graph.offsets[user + 1] ?? 0) - (graph.offsets[user] ?? 0) < graph.itemCount;
  const trainableEdges = Int32Array.from(edgeUsers.keys()).filter((edge) => isTrainable(edgeUsers[edge] ?? 0));
  if (trainableEdges.length === 0) {
    const message = `Each of the users has all ${graph.itemCount} items: there is nothing to rank lower.`;
    throw new InteractionDataError('NO_NEGATIVES', message);
  }
  const tables = {
    dimension,
    regularization,
    ego: state.ego,
    final: new Float32Array(state.ego.length),
    finalGradient: new Float32Array(state.ego.length),
    occurrences: new Int32Array(graph.nodeCount),
  };
  const propagate = createPropagation(graph, dimension, layers);
  return { hyperparameters, graph, state, workspace: { propagate, tables, edgeUsers, trainableEdges } };
}

/**
 * Trains one epoch: every distinct interaction once, in an order drawn from the state, in batches; full-graph
 * propagation forward and back at every step. Changes the model in place.
 * @throws TrainingDivergedError when the loss is not finite; the model is then of no more use.
 */
export function trainEpoch(model: LightGcn): EpochResult {
  const { state, graph, workspace, hyperparameters } = model;
  const order = workspace.trainableEdges.slice();
  shuffle(state.random, order);
  let lossSum = 0;
  for (let start = 0; start < order.length; start += hyperparameters.batchSize) {
    const edges = order.subarray(start, start + hyperparameters.batchSize);
    const batch = sampleTriples(graph, workspace.edgeUsers, edges, state.random);
    const { loss, gradient } = lossAndGradient(model, batch);
    if (!Number.isFinite(loss)) {
      const rate = hyperparameters.learningRate;
      throw new TrainingDivergedError(`Loss is ${loss} at step ${state.step}, with learning rate ${rate}.`);
    }
    stepAdam(state, gradient, hyperparameters.learningRate);
    lossSum += loss * edges.length;
  }
  state.epoch += 1;
  return { loss: lossSum / order.length, sampleCount: order.length };
}

/**
 * The loss of a batch and its gradient by the ego vectors (`[nodeCount, dimension]`, the model's scratch memory, good
 * until the next call).
 */
export function lossAndGradient(model: LightGcn, batch: TripleBatch): { loss: number; gradient: NodeTable } {
  const { propagate, tables } = model.workspace;
  const { dimension, regularization, ego, finalGradient: gradient, occurrences } = tables;
  propagate(ego, tables.final);
  const loss = bprGradient(tables, batch);
  propagate(gradient, gradient);
  for (let node = 0; node < occurrences.length; node++) {
    const times = occurrences[node] as number;
    if (times === 0) continue;
    const decay = (regularization * times) / batch.users.length;
    const end = (node + 1) * dimension;
    for (let at = node * dimension; at < end; at++)
      gradient[at] = (gradient[at] as number) + decay * (ego[at] as number);
  }
  return { loss, gradient };
}

function stepAdam(state: LightGcnState, gradient: NodeTable, learningRate: number): void {
  const { ego, firstMoment, secondMoment } = state;
  state.step += 1;
  const rate = learningRate / (1 - FIRST_DECAY ** state.step);
  const rootCorrection = 1 / Math.sqrt(1 - SECOND_DECAY ** state.step);
  for (let at = 0; at < ego.length; at++) {
    const slope = gradient[at] as number;
    const first = FIRST_DECAY * (firstMoment[at] as number) + (1 - FIRST_DECAY) * slope;
    const second = SECOND_DECAY * (secondMoment[at] as number) + (1 - SECOND_DECAY) * slope * slope;
    firstMoment[at] = first;
    secondMoment[at] = second;
    ego[at] = (ego[at] as number) - (rate * first) / (Math.sqrt(second) * rootCorrection + EPSILON);
  }
}

/** The final vectors of the model as it stands, in new arrays. */
export function embeddings(model: LightGcn): Embeddings {
  return embeddingsOf(model, model.state.ego);
}

/** The final vectors that `ego`, another ego table of the same model, propagates to. */
export function embeddingsOf(model: LightGcn, ego: NodeTable): Embeddings {
  const { dimension } = model.hyperparameters;
  const final = new Float32Array(ego.length);
  model.workspace.propagate(ego, final);
  const boundary = model.graph.userCount * dimension;
  return { dimension, users: final.slice(0, boundary), items: final.slice(boundary) };
}

/**
 * Bytes that training holds at its peak, for a preflight check: nine tables and the four of a checkpoint being encoded,
 * the graph, the sample order, and the train and validation matrices.
 */
export function estimateMemoryBytes(size: {
  userCount: number;
  itemCount: number;
  interactionCount: number;
  dimension: number;
}): number {
  const nodeCount = size.userCount + size.itemCount;
  const tables = 13 * 4 * nodeCount * size.dimension;
  const graph = 16 * nodeCount + 4 * size.interactionCount * (2 + 2 + 1 + 2);
  const matrix = 20 * size.interactionCount * 2;
  return tables + graph + matrix;
}
