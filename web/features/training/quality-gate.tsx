import { IconCheck, IconX } from '@tabler/icons-react';
import { type FragmentType, readFragment } from '../../src/generated/fragment-masking.ts';
import { graphql } from '../../src/generated/gql.ts';
import classes from './quality-gate.module.css';

const GATE = graphql(`
  fragment QualityGate on QualityGate {
    passed
    checks {
      name
      passed
      message
    }
  }
`);

/** Every condition that the version was judged by, with what was seen. */
export function QualityGate({ gate: masked }: { gate: FragmentType<typeof GATE> }) {
  const { checks } = readFragment(GATE, masked);
  return (
    <ul className={classes.checks} data-testid="quality-gate">
      {checks.map(({ name, passed, message }) => (
        <li key={name} className={classes.check} data-passed={passed}>
          <span className={classes.mark} aria-label={passed ? 'passed' : 'failed'} role="img">
            {passed ? <IconCheck size={14} stroke={2.4} /> : <IconX size={14} stroke={2.4} />}
          </span>
          {message}
        </li>
      ))}
    </ul>
  );
}
