import { formatDateTime } from '../../lib/format.ts';
import { type FragmentType, readFragment } from '../../src/generated/fragment-masking.ts';
import { graphql } from '../../src/generated/gql.ts';
import type { CanaryStatus } from '../../src/generated/graphql.ts';
import { Panel } from '../shell/panel.tsx';
import { type PillTone, StatusPill } from '../shell/status-pill.tsx';
import { CanarySides } from './canary-sides.tsx';

const OUTCOME = graphql(`
  fragment CanaryOutcome on Canary {
    status
    reason
    finishedAt
    trial {
      ...CanarySideRow
    }
    control {
      ...CanarySideRow
    }
  }
`);

const LOOKS: Readonly<Record<CanaryStatus, readonly [PillTone, string]>> = {
  RUNNING: ['live', 'Under way'],
  PROMOTED: ['good', 'Answers everybody'],
  ROLLED_BACK: ['bad', 'Rolled back'],
  ABORTED: ['warm', 'Ended without a verdict'],
};

/** How a version did with a share of the users, and what was decided. */
export function CanaryOutcome({ canary: masked }: { canary: FragmentType<typeof OUTCOME> }) {
  const { status, reason, finishedAt, trial, control } = readFragment(OUTCOME, masked);
  const [tone, label] = LOOKS[status];
  return (
    <Panel
      title="Canary"
      description={
        reason ?? 'Some of the users are answered by this version, until it is known whether they click less.'
      }
      aside={
        <StatusPill
          tone={tone}
          label={label}
          testId="canary-status"
          {...(finishedAt ? { title: formatDateTime(finishedAt) } : {})}
        />
      }
      testId="canary-outcome"
    >
      <CanarySides trial={trial} control={control} />
    </Panel>
  );
}
