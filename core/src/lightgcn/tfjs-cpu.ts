import type { MathBackendCPU } from '@tensorflow/tfjs-backend-cpu';
import type { KernelFunc } from '@tensorflow/tfjs-core';
import { registerHooks } from 'node:module';
import type { TensorFlow } from './tensorflow.ts';

/** What TensorFlow.js in plain JavaScript lacks in Node: gradients, quick segment sums, and silence on the console. */
export function completeCpuBackend(tf: TensorFlow, require: NodeJS.Require): void {
  tf.enableProdMode();
  registerGradients(require);
  const kernel = { kernelName: tf.UnsortedSegmentSum, backendName: 'cpu' };
  tf.unregisterKernel(kernel.kernelName, kernel.backendName);
  tf.registerKernel({ ...kernel, kernelFunc: sumSegments });
}

/** The package's bundle for Node leaves its gradients out, and its modules import each other without file extension. */
function registerGradients(require: NodeJS.Require): void {
  const hooks = registerHooks({
    resolve: (specifier, context, next) =>
      next(/^\..*(?<!\.js)$/.test(specifier) ? `${specifier}.js` : specifier, context),
  });
  try {
    require('@tensorflow/tfjs-core/dist/register_all_gradients.js');
  } finally {
    hooks.deregister();
  }
}

/**
 * The segment sum in time linear in the number of rows; the package's own multiplies that by the number of segments.
 * Every gradient of a gather is a segment sum.
 */
const sumSegments: KernelFunc = ({ inputs: { x, segmentIds }, backend, attrs }) => {
  const segmentCount = attrs?.['numSegments'];
  if (!x || !segmentIds || typeof segmentCount !== 'number')
    throw new TypeError('Wanted x, segmentIds and numSegments.');
  const cpu = backend as MathBackendCPU;
  const values = cpu.readSync(x.dataId) as Float32Array;
  const ids = cpu.readSync(segmentIds.dataId) as Int32Array;
  const width = values.length / Math.max(1, ids.length);
  const sums = new Float32Array(segmentCount * width);
  ids.forEach((id, row) => {
    // As in the kernel replaced, rows of a segment outside the range count nowhere.
    if (id < 0 || id >= segmentCount) return;
    for (let column = 0; column < width; column++) {
      const to = id * width + column;
      sums[to] = (sums[to] as number) + (values[row * width + column] as number);
    }
  });
  const shape = [segmentCount, ...x.shape.slice(segmentIds.shape.length)];
  return cpu.makeTensorInfo(shape, 'float32', sums);
};
