'use client';

import { Button, Skeleton } from '@mantine/core';
import { IconChartLine, IconHistory } from '@tabler/icons-react';
import Link from 'next/link';
import { useEffect } from 'react';
import { useQuery } from 'urql';
import { graphql } from '../../src/generated/gql.ts';
import type { OverviewQuery } from '../../src/generated/graphql.ts';
import { TrainButton } from '../models/train-button.tsx';
import { VersionSummary } from '../models/version-summary.tsx';
import { Blank } from '../shell/blank.tsx';
import { PageHeader } from '../shell/page-header.tsx';
import { Panel } from '../shell/panel.tsx';
import { QueryProblem } from '../shell/problem.tsx';
import { RunList } from '../training/run-list.tsx';
import { isOver } from '../training/run-status-pill.tsx';
import { CatalogFigures } from './catalog-figures.tsx';
import { DemoSource } from './demo-source.tsx';
import { FirstSteps } from './first-steps.tsx';
import classes from './overview-page.module.css';

const OVERVIEW = graphql(`
  query Overview($runs: Int!, $models: Int!) {
    tenant {
      id
      name
      ...DemoSource
      catalog {
        itemCount
        interactionCount
        ...CatalogFigures
      }
    }
    models(first: $models) {
      edges {
        cursor
        node {
          id
          name
          activeVersion {
            id
            activatedAt
            ...VersionSummary
          }
        }
      }
    }
    trainingRuns(first: $runs) {
      edges {
        cursor
        node {
          id
          status
          model {
            id
          }
          ...RunListRow
        }
      }
    }
  }
`);

const REFRESH_WHILE_RUNNING_MS = 4000;

export function OverviewPage() {
  const [{ data, error, fetching }, refetch] = useQuery({
    query: OVERVIEW,
    variables: { runs: 6, models: 20 },
    requestPolicy: 'cache-and-network',
  });
  const running = data?.trainingRuns.edges.some(({ node }) => !isOver(node.status)) ?? false;
  useEffect(() => {
    if (!running) return undefined;
    const timer = setInterval(() => refetch({ requestPolicy: 'network-only' }), REFRESH_WHILE_RUNNING_MS);
    return () => clearInterval(timer);
  }, [running, refetch]);

  if (data) return <Overview data={data} />;
  if (error && !fetching) {
    return (
      <>
        <PageHeader title="Overview" />
        <Panel>
          <QueryProblem error={error} onRetry={() => refetch({ requestPolicy: 'network-only' })} />
        </Panel>
      </>
    );
  }
  return (
    <div aria-busy="true">
      <PageHeader title={<Skeleton height={28} width={220} />} />
      <Skeleton height={96} radius="lg" mb="md" />
      <Skeleton height={236} radius="lg" mb="md" />
      <Skeleton height={220} radius="lg" />
    </div>
  );
}

function Overview({ data: { tenant, models, trainingRuns } }: { data: OverviewQuery }) {
  const recipes = models.edges.map(({ node }) => node);
  const runs = trainingRuns.edges.map(({ node }) => node);
  const serving = recipes
    .filter(({ activeVersion }) => activeVersion !== null)
    .toSorted((a, b) => (b.activeVersion?.activatedAt ?? '').localeCompare(a.activeVersion?.activatedAt ?? ''))[0];
  const model = serving ?? recipes[0];
  const open = runs.find((run) => run.model.id === model?.id && !isOver(run.status));
  const train = model ? <TrainButton modelId={model.id} openRunId={open?.id ?? null} label="Train" /> : null;
  return (
    <>
      <PageHeader title={tenant.name} badge={<DemoSource tenant={tenant} />} actions={train} />
      <div className={classes.page}>
        <CatalogFigures catalog={tenant.catalog} />
        {serving?.activeVersion ? (
          <Panel
            title={`Serving now: ${serving.name}`}
            description="Measured on interactions held out from training, beside the most popular items and a model without training."
            aside={
              <Button component={Link} href="/recommendations" variant="default">
                Try recommendations
              </Button>
            }
          >
            <VersionSummary version={serving.activeVersion} />
          </Panel>
        ) : (
          <Panel title="First recommendations">
            <FirstSteps itemCount={tenant.catalog.itemCount} hasModel={model !== undefined} hasRun={runs.length > 0} />
          </Panel>
        )}
        <Panel
          title="Latest training runs"
          flush
          aside={
            <Link href="/models" className={classes.more}>
              All models
            </Link>
          }
        >
          {runs.length > 0 ? (
            <RunList runs={runs} />
          ) : (
            <Blank icon={model ? IconChartLine : IconHistory} title="No training yet" action={train}>
              A training reads every interaction, learns, measures itself and, when it is done, starts to serve.
            </Blank>
          )}
        </Panel>
      </div>
    </>
  );
}
