'use client';

import { IconHistory } from '@tabler/icons-react';
import { useQuery } from 'urql';
import { readFragment } from '../../src/generated/fragment-masking.ts';
import { graphql } from '../../src/generated/gql.ts';
import { UnreadyPage } from '../shell/unready-page.tsx';
import { RunView, RUN_DETAIL } from './run-view.tsx';

const RUN = graphql(`
  query TrainingRun($id: ID!) {
    trainingRun(id: $id) {
      id
      ...RunDetail
    }
  }
`);

const TRAIL = [{ label: 'Models', href: '/models' }];

const MISSING = { icon: IconHistory, title: 'No such run' };

export function RunPage({ runId }: { runId: string }) {
  const [{ data, error, fetching }, refetch] = useQuery({
    query: RUN,
    variables: { id: runId },
    requestPolicy: 'cache-and-network',
  });
  const run = readFragment(RUN_DETAIL, data?.trainingRun);
  if (run) return <RunView run={run} onChanged={() => refetch({ requestPolicy: 'network-only' })} />;
  return (
    <UnreadyPage
      title="Training run"
      trail={TRAIL}
      missing={MISSING}
      fetching={fetching}
      error={error}
      onRetry={() => refetch({ requestPolicy: 'network-only' })}
    />
  );
}
