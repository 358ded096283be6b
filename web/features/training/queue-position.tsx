'use client';

import { useEffect, useEffectEvent } from 'react';
import { type FragmentType, readFragment } from '../../src/generated/fragment-masking.ts';
import { graphql } from '../../src/generated/gql.ts';
import { Panel } from '../shell/panel.tsx';

const QUEUED = graphql(`
  fragment QueuePosition on TrainingRun {
    status
    queuePosition
  }
`);

/** No event tells of the runs before this one. */
const LOOK_EVERY_MS = 3_000;

/** How many of the tenant's runs go before one that waits. */
export function QueuePosition({ run, onLook }: { run: FragmentType<typeof QUEUED>; onLook: () => void }) {
  const { status, queuePosition } = readFragment(QUEUED, run);
  const look = useEffectEvent(onLook);
  const waits = status === 'QUEUED';
  useEffect(() => {
    if (!waits) return undefined;
    const timer = setInterval(look, LOOK_EVERY_MS);
    return () => clearInterval(timer);
  }, [waits]);
  if (!waits || queuePosition == null) return null;
  const ahead = queuePosition - 1;
  return (
    <Panel title={`Place ${queuePosition} in the queue`} testId="queue-position">
      {ahead === 0
        ? 'It begins as soon as one of the trainings under way ends.'
        : `${ahead} of your trainings ${ahead === 1 ? 'goes' : 'go'} before it.`}{' '}
      Your plan says how many compute at a time.
    </Panel>
  );
}
