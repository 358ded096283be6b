import type { Rank, Scalar, Tensor2D, Variable } from '@tensorflow/tfjs-core';
import type { LightGcnBackend } from './backend.ts';
import type { BackendModel } from './choose-backend.ts';
import { layerWeights } from './propagate.ts';
import type { TensorFlow } from './tensorflow.ts';
import { createTfPropagation, tfBprLoss, tfSoftmaxLoss, type TfTables } from './tfjs-losses.ts';

/**
 * The back-end in TensorFlow.js. Its gradients come from automatic differentiation of the loss and share nothing with
 * those written by hand, which tests check against it. On a GPU sums depend on the order in which threads add, in
 * their last bits. A layer holds one row for every edge.
 */
export function createTfjsBackend(
  { tf, detail }: { readonly tf: TensorFlow; readonly detail: string },
  model: BackendModel,
): LightGcnBackend {
  const { graph, state, hyperparameters } = model;
  const { dimension, regularization, outputLayers } = hyperparameters;
  const shape: [number, number] = [graph.nodeCount, dimension];
  const { propagate, dispose } = createTfPropagation(tf, graph, layerWeights(outputLayers));
  const createTable = (): Variable<Rank.R2> => tf.tidy(() => tf.variable(tf.zeros(shape)));
  const [ego, firstMoment, secondMoment] = [createTable(), createTable(), createTable()];
  const tables = [
    [ego, state.ego],
    [firstMoment, state.firstMoment],
    [secondMoment, state.secondMoment],
  ] as const;
  // The gradient of the latest loss, by the ego vectors.
  const slope = createTable();
  const differentiate = (lossOf: (tables: TfTables) => Scalar): number =>
    tf.tidy(() => {
      const { value, grad } = tf.valueAndGrad((input: Tensor2D) => lossOf({ ego: input, final: propagate(input) }))(
        ego,
      );
      slope.assign(grad);
      return value.dataSync()[0] ?? Number.NaN;
    });
  return {
    kind: 'tfjs',
    detail,
    begin: () => tf.tidy(() => tables.forEach(([variable, values]) => variable.assign(tf.tensor2d(values, shape)))),
    end: () => tables.forEach(([variable, values]) => values.set(variable.dataSync())),
    propagate: (input, output) => output.set(tf.tidy(() => propagate(tf.tensor2d(input, shape)).dataSync())),
    bprLoss: (batch) => differentiate((vectors) => tfBprLoss(tf, vectors, batch, regularization)),
    softmaxLoss: (batch, settings) => {
      const all = { ...settings, regularization, userCount: graph.userCount };
      return differentiate((vectors) => tfSoftmaxLoss(tf, vectors, batch, all));
    },
    gradient: () => Float32Array.from(slope.dataSync()),
    step: ({ rate, rootCorrection, firstDecay, secondDecay, epsilon }) =>
      tf.tidy(() => {
        firstMoment.assign(tf.add(tf.mul(firstMoment, firstDecay), tf.mul(slope, 1 - firstDecay)));
        secondMoment.assign(tf.add(tf.mul(secondMoment, secondDecay), tf.mul(tf.square(slope), 1 - secondDecay)));
        const length = tf.add(tf.mul(tf.sqrt(secondMoment), rootCorrection), epsilon);
        ego.assign(tf.sub(ego, tf.div(tf.mul(firstMoment, rate), length)));
      }),
    close: () => {
      dispose();
      tf.dispose([ego, firstMoment, secondMoment, slope]);
    },
  };
}
