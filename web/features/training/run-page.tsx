'use client';

import { Skeleton } from '@mantine/core';
import { IconHistory } from '@tabler/icons-react';
import { useQuery } from 'urql';
import { readFragment } from '../../src/generated/fragment-masking.ts';
import { graphql } from '../../src/generated/gql.ts';
import { Blank } from '../shell/blank.tsx';
import { PageHeader } from '../shell/page-header.tsx';
import { Panel } from '../shell/panel.tsx';
import { QueryProblem } from '../shell/problem.tsx';
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

export function RunPage({ runId }: { runId: string }) {
  const [{ data, error, fetching }, refetch] = useQuery({
    query: RUN,
    variables: { id: runId },
    requestPolicy: 'cache-and-network',
  });
  const run = readFragment(RUN_DETAIL, data?.trainingRun);
  if (run) return <RunView run={run} onEnded={() => refetch({ requestPolicy: 'network-only' })} />;
  if (error && !fetching) {
    return (
      <>
        <PageHeader title="Training run" trail={TRAIL} />
        <Panel>
          <QueryProblem error={error} onRetry={() => refetch({ requestPolicy: 'network-only' })} />
        </Panel>
      </>
    );
  }
  if (data && !fetching) {
    return (
      <>
        <PageHeader title="Training run" trail={TRAIL} />
        <Panel>
          <Blank icon={IconHistory} title="No such run">
            It may belong to another tenant, or the address is mistyped.
          </Blank>
        </Panel>
      </>
    );
  }
  return (
    <div aria-busy="true">
      <PageHeader title={<Skeleton height={28} width={200} />} trail={TRAIL} />
      <Skeleton height={90} radius="lg" mb="md" />
      <Skeleton height={104} radius="lg" mb="md" />
      <Skeleton height={340} radius="lg" />
    </div>
  );
}
