import { type FragmentType, readFragment } from '../../src/generated/fragment-masking.ts';
import { graphql } from '../../src/generated/gql.ts';
import { StatusPill } from '../shell/status-pill.tsx';
import classes from './demo-source.module.css';

const SOURCE = graphql(`
  fragment DemoSource on Tenant {
    demoSource
    simulated
  }
`);

/** Says where demonstration data came from, and that its viewers are simulated where they are. */
export function DemoSource({ tenant: masked }: { tenant: FragmentType<typeof SOURCE> }) {
  const { demoSource, simulated } = readFragment(SOURCE, masked);
  if (!demoSource && !simulated) return null;
  return (
    <span className={classes.source} data-testid="demo-source">
      {simulated ? (
        <StatusPill tone="warm" label="Simulated viewers" title="The interactions were generated; nobody made them." />
      ) : (
        <StatusPill tone="iris" label="Demonstration data" />
      )}
      {demoSource ? <span className={classes.name}>{demoSource}</span> : null}
    </span>
  );
}
