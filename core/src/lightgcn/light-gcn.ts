import { checkInteractions, InteractionDataError, type InteractionMatrix } from '../interaction-matrix.ts';
import { nextNormal, type RandomState, seedRandom } from '../random.ts';
import type { Answer, BackendOptions, LightGcnBackend, PairBatch, SoftmaxSettings, TripleBatch } from './backend.ts';
import { sampleTriples } from './bpr.ts';
import { chooseBackend } from './choose-backend.ts';
import { createEpochLoss } from './epoch-loss.ts';
import { orderEpoch } from './epoch-order.ts';
import { buildGraph, type InteractionGraph } from './graph.ts';
import { type CompleteHyperparameters, completeHyperparameters, type Hyperparameters } from './hyperparameters.ts';
import type { NodeTable } from './propagate.ts';

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

/** A LightGCN in training on one matrix; its owner closes `backend`. */
export interface LightGcn {
  readonly hyperparameters: CompleteHyperparameters;
  readonly graph: InteractionGraph;
  readonly state: LightGcnState;
  readonly workspace: Workspace;
  readonly backend: LightGcnBackend;
  /** Why this back-end: that it was asked for, or why each faster one does not work here. */
  readonly backendReason: string;
}

interface Workspace {
  readonly edgeUsers: Int32Array;
  /** Edges of users who lack at least one item. */
  readonly trainableEdges: Int32Array;
  /** The log-q correction of each item's logit as a negative, `[itemCount]`. */
  readonly itemBias: Float32Array;
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

/** Adam's decay rates and epsilon (Kingma and Ba 2015). */
const FIRST_DECAY = 0.9;
const SECOND_DECAY = 0.999;
const EPSILON = 1e-8;

/**
 * An untrained model on the distinct pairs of `train`; depends on `hyperparameters.seed` alone.
 * @throws HyperparameterError; InteractionDataError as `checkInteractions`, EMPTY without interactions or NO_NEGATIVES
 * when every user has all items; BackendUnavailableError.
 */
export async function createLightGcn(
  train: InteractionMatrix,
  hyperparameters: Hyperparameters,
  options: BackendOptions = {},
): Promise<LightGcn> {
  const { seed, dimension, initialDeviation } = completeHyperparameters(hyperparameters);
  checkTrainingData(train);
  const random = seedRandom(seed);
  const valueCount = (train.userCount + train.itemCount) * dimension;
  const ego = new Float32Array(valueCount);
  for (let at = 0; at < valueCount; at++) ego[at] = nextNormal(random) * initialDeviation;
  const firstMoment = new Float32Array(valueCount);
  const secondMoment = new Float32Array(valueCount);
  const state = { ego, firstMoment, secondMoment, random, step: 0, epoch: 0 };
  return attachLightGcn({ train, hyperparameters, state, options });
}

/** @throws InteractionDataError as `checkInteractions`, or EMPTY */
export function checkTrainingData(train: InteractionMatrix): void {
  checkInteractions(train);
  if (train.userRows.length === 0) throw new InteractionDataError('EMPTY', 'Wanted interactions to train on, got 0.');
}

/** The model that stands at `state`, which it owns from now on; for the same, checked `train` the state came from. */
export async function attachLightGcn(parts: {
  train: InteractionMatrix;
  hyperparameters: Hyperparameters;
  state: LightGcnState;
  options?: BackendOptions;
}): Promise<LightGcn> {
  const { train, state } = parts;
  const graph = buildGraph(train);
  const hyperparameters = completeHyperparameters(parts.hyperparameters);
  const edgeUsers = new Int32Array(graph.edgeCount);
  for (let user = 0; user < graph.userCount; user++) edgeUsers.fill(user, graph.offsets[user], graph.offsets[user + 1]);
  const isTrainable = (user: number) => (graph.offsets[user + 1] ?? 0) - (graph.offsets[user] ?? 0) < graph.itemCount;
  const trainableEdges = edgeUsers.map((_, edge) => edge).filter((edge) => isTrainable(edgeUsers[edge] ?? 0));
  if (trainableEdges.length === 0) {
    const message = `Each of the users has all ${graph.itemCount} items: there is nothing to rank lower.`;
    throw new InteractionDataError('NO_NEGATIVES', message);
  }
  const itemBias = correctLogQ(graph, hyperparameters.logQCorrection);
  const { backend, reason } = await chooseBackend({ graph, hyperparameters, state }, parts.options);
  const workspace = { edgeUsers, trainableEdges, itemBias };
  return { hyperparameters, graph, state, workspace, backend, backendReason: reason };
}

/**
 * Trains one epoch: every distinct interaction once, in an order drawn from the state, in batches; full-graph
 * propagation forward and back at every step. Changes the model in place.
 * @throws TrainingDivergedError when the loss is not finite; the model is then of no more use.
 */
export async function trainEpoch(model: LightGcn): Promise<EpochResult> {
  const { state, workspace, hyperparameters, backend } = model;
  const { batchSize, userGroup } = hyperparameters;
  const order = orderEpoch(workspace, userGroup, state.random);
  const losses = createEpochLoss(() => `step ${state.step}, with learning rate ${hyperparameters.learningRate}`);
  await backend.begin();
  for (let start = 0; start < order.length; start += batchSize) {
    const edges = order.subarray(start, start + batchSize);
    losses.add(batchLoss(model, edges), edges.length);
    stepAdam(model);
    if (losses.isAhead()) await losses.settle();
  }
  const loss = (await losses.sum()) / order.length;
  await backend.end();
  state.epoch += 1;
  return { loss, sampleCount: order.length };
}

/** The loss of the batch of `edges`; for `bpr` draws the negatives from the state. */
function batchLoss(model: LightGcn, edges: Int32Array): Answer<number> {
  const { graph, workspace, state, hyperparameters, backend } = model;
  if (hyperparameters.loss === 'bpr') {
    return backend.bprLoss(sampleTriples(graph, workspace.edgeUsers, edges, state.random));
  }
  const pairs = { users: pick(workspace.edgeUsers, edges), positives: pick(graph.neighbors, edges) };
  return backend.softmaxLoss(pairs, softmaxSettings(model, edges.length));
}

/** The values at `places`. A part of an array is mapped ten times as slowly. */
function pick(values: Int32Array, places: Int32Array): Int32Array {
  const picked = new Int32Array(places.length);
  for (let at = 0; at < places.length; at++) picked[at] = values[places[at] as number] as number;
  return picked;
}

/** The softmax loss for a batch of this size at the model's epoch: chunks of nearly one size. */
export function softmaxSettings(model: LightGcn, batchSize: number): SoftmaxSettings {
  const { temperature, secondTemperature, negatives, negativesGrowth } = model.hyperparameters;
  const wanted = Math.min(batchSize, negatives * negativesGrowth ** model.state.epoch);
  const chunkSize = Math.ceil(batchSize / Math.ceil(batchSize / wanted));
  return { chunkSize, temperature, secondTemperature, itemBias: model.workspace.itemBias };
}

/**
 * The loss of a batch, triples for `bpr` and pairs for `softmax`, and its gradient by the ego vectors
 * (`[nodeCount, dimension]`, good until the next call).
 */
export async function lossAndGradient(
  model: LightGcn,
  batch: TripleBatch | PairBatch,
): Promise<{ loss: number; gradient: NodeTable }> {
  const { backend } = model;
  await backend.begin();
  const loss =
    'negatives' in batch
      ? backend.bprLoss(batch)
      : backend.softmaxLoss(batch, softmaxSettings(model, batch.users.length));
  return { loss: await loss, gradient: await backend.gradient() };
}

function stepAdam({ state, hyperparameters, backend }: LightGcn): void {
  state.step += 1;
  backend.step({
    rate: hyperparameters.learningRate / (1 - FIRST_DECAY ** state.step),
    rootCorrection: 1 / Math.sqrt(1 - SECOND_DECAY ** state.step),
    firstDecay: FIRST_DECAY,
    secondDecay: SECOND_DECAY,
    epsilon: EPSILON,
  });
}

/** -strength * ln(share of the interactions) for each item, 0 for an item without any. */
function correctLogQ({ offsets, userCount, itemCount, edgeCount }: InteractionGraph, strength: number): Float32Array {
  return Float32Array.from({ length: itemCount }, (_, item) => {
    const degree = (offsets[userCount + item + 1] ?? 0) - (offsets[userCount + item] ?? 0);
    return degree === 0 ? 0 : -strength * Math.log(degree / edgeCount);
  });
}

/** The final vectors of the model as it stands, in new arrays. */
export function embeddings(model: LightGcn): Promise<Embeddings> {
  return embeddingsOf(model, model.state.ego);
}

/** The final vectors that `ego`, another ego table of the same model, propagates to. */
export async function embeddingsOf(model: LightGcn, ego: NodeTable): Promise<Embeddings> {
  const { dimension, lengthExponent } = model.hyperparameters;
  const final = new Float32Array(ego.length);
  await model.backend.propagate(ego, final);
  const boundary = model.graph.userCount * dimension;
  const items = final.slice(boundary);
  if (lengthExponent !== 1) raiseLengths(items, dimension, lengthExponent);
  return { dimension, users: final.slice(0, boundary), items };
}

/** Gives every row that is not zero its length to the power of `exponent`. */
function raiseLengths(rows: Float32Array, dimension: number, exponent: number): void {
  for (let from = 0; from < rows.length; from += dimension) {
    let squares = 0;
    for (let at = from; at < from + dimension; at++) squares += (rows[at] as number) ** 2;
    if (squares === 0) continue;
    const scale = Math.sqrt(squares) ** (exponent - 1);
    for (let at = from; at < from + dimension; at++) rows[at] = (rows[at] as number) * scale;
  }
}
