import { type FragmentType, readFragment } from '../../src/generated/fragment-masking.ts';
import { graphql } from '../../src/generated/gql.ts';
import type { ComputeBackend } from '../../src/generated/graphql.ts';
import classes from './compute-line.module.css';

const COMPUTE = graphql(`
  fragment ComputeLine on TrainingCompute {
    backend
    detail
    reason
  }
`);

const NAMES: Record<ComputeBackend, string> = {
  NATIVE: 'Native code',
  WEBGPU: 'GPU',
  TFJS: 'TensorFlow.js',
  REFERENCE: 'TypeScript',
};

/** Which back-end computed a run, what of the machine it used, and why it was chosen. */
export function ComputeLine({ compute: masked }: { compute: FragmentType<typeof COMPUTE> }) {
  const { backend, detail, reason } = readFragment(COMPUTE, masked);
  return (
    <div data-testid="run-compute">
      <p className={classes.lead}>
        {NAMES[backend]} <span className={classes.detail}>{detail}</span>
      </p>
      <p className={classes.reason}>{reason}</p>
    </div>
  );
}
