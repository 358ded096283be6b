'use client';

import { Skeleton } from '@mantine/core';
import dynamic from 'next/dynamic';
import { useQuery } from 'urql';
import { graphql } from '../../src/generated/gql.ts';
import type { ExampleIdsQuery } from '../../src/generated/graphql.ts';
import { PageHeader } from '../shell/page-header.tsx';
import { Panel } from '../shell/panel.tsx';
import { QueryProblem } from '../shell/problem.tsx';
import { type ExampleIds, examplesFor } from './examples.ts';
import classes from './explorer-page.module.css';

const EXAMPLE_IDS = graphql(`
  query ExampleIds {
    users(first: 1) {
      edges {
        cursor
        node {
          id
          externalId
        }
      }
    }
    items(first: 1) {
      edges {
        cursor
        node {
          id
          externalId
        }
      }
    }
    trainingRuns(first: 1) {
      edges {
        cursor
        node {
          id
        }
      }
    }
  }
`);

// The editor is large: loaded here only.
const Explorer = dynamic(async () => (await import('./explorer.tsx')).Explorer, {
  ssr: false,
  loading: () => <Skeleton className={classes.explorer} />,
});

export function ExplorerPage() {
  const [{ data, error }, refetch] = useQuery({ query: EXAMPLE_IDS });
  return (
    <>
      <PageHeader
        title="API explorer"
        description="Every query, mutation and subscription of the API, run as you. What you write here is gone when you leave."
      />
      {error && data === undefined ? (
        <Panel>
          <QueryProblem error={error} onRetry={() => refetch({ requestPolicy: 'network-only' })} />
        </Panel>
      ) : (
        <div className={classes.explorer} data-testid="explorer">
          {data === undefined ? <Skeleton height="100%" /> : <Explorer examples={examplesFor(exampleIds(data))} />}
        </div>
      )}
    </>
  );
}

function exampleIds({ users, items, trainingRuns }: ExampleIdsQuery): ExampleIds {
  return {
    userExternalId: users.edges[0]?.node.externalId,
    item: items.edges[0]?.node,
    runId: trainingRuns.edges[0]?.node.id,
  };
}
