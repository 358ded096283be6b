'use client';

import Link from 'next/link';
import { formatAgo, formatLift, formatMetric } from '../../lib/format.ts';
import { type FragmentType, readFragment } from '../../src/generated/fragment-masking.ts';
import { graphql } from '../../src/generated/gql.ts';
import { StatusPill } from '../shell/status-pill.tsx';
import { useNow } from '../shell/use-now.ts';
import { isOver, RunStatusPill } from '../training/run-status-pill.tsx';
import { LOSS_LABELS } from './hyperparameter-settings.ts';
import classes from './model-card.module.css';

const MODEL = graphql(`
  fragment ModelCard on Model {
    id
    name
    createdAt
    hyperparameters {
      loss
      dimension
    }
    activeVersion {
      id
      number
      metrics {
        ndcgAt10
      }
      baselines {
        name
        metrics {
          ndcgAt10
        }
      }
    }
    runs(first: 1) {
      edges {
        cursor
        node {
          id
          status
        }
      }
    }
  }
`);

export function ModelCard({ model: masked }: { model: FragmentType<typeof MODEL> }) {
  const model = readFragment(MODEL, masked);
  const now = useNow(30_000);
  const { activeVersion, hyperparameters } = model;
  const lastRun = model.runs.edges[0]?.node;
  const popularity = activeVersion?.baselines.find(({ name }) => name === 'POPULARITY')?.metrics.ndcgAt10 ?? null;
  const ndcg = activeVersion?.metrics?.ndcgAt10 ?? null;
  const lift = ndcg === null || popularity === null ? null : formatLift(ndcg, popularity);
  return (
    <Link href={`/models/${model.id}`} className={classes.card} data-testid="model-card">
      <span className={classes.head}>
        <span className={classes.name}>{model.name}</span>
        {lastRun && !isOver(lastRun.status) ? (
          <RunStatusPill status={lastRun.status} />
        ) : activeVersion ? (
          <StatusPill tone="good" label={`Serving v${activeVersion.number}`} />
        ) : (
          <StatusPill tone="neutral" label="Not trained" />
        )}
      </span>
      <span className={classes.recipe}>
        LightGCN · {hyperparameters.dimension} dimensions · {LOSS_LABELS[hyperparameters.loss]} loss
      </span>
      <span className={classes.foot}>
        <span className={classes.measure}>
          <span className={classes.caption}>NDCG@10</span>
          <span className={`${classes.figure} numeric`}>{ndcg === null ? '–' : formatMetric(ndcg)}</span>
        </span>
        <span className={classes.aside}>
          {lift === null ? null : <span className={classes.lift}>{lift} over popularity</span>}
          <span>created {formatAgo(model.createdAt, now)}</span>
        </span>
      </span>
    </Link>
  );
}
