'use client';

import Link from 'next/link';
import { formatAgo, formatDateTime, formatLift, formatMetric, formatShare } from '../../lib/format.ts';
import { type FragmentType, readFragment } from '../../src/generated/fragment-masking.ts';
import { graphql } from '../../src/generated/gql.ts';
import { StatusPill } from '../shell/status-pill.tsx';
import { useNow } from '../shell/use-now.ts';
import { algorithmName, byPopularityFirst } from './algorithm-names.ts';
import { QualityBars } from './quality-bars.tsx';
import classes from './version-summary.module.css';

const VERSION = graphql(`
  fragment VersionSummary on ModelVersion {
    id
    algorithm
    number
    status
    createdAt
    activatedAt
    run {
      id
    }
    metrics {
      ndcgAt10
      recallAt10
      hitRateAt10
      coverageAt10
    }
    baselines {
      name
      metrics {
        ndcgAt10
        recallAt10
        hitRateAt10
        coverageAt10
      }
    }
    index {
      kind
      factory
      recallAt20
    }
  }
`);

const BARS = [
  ['ndcgAt10', 'NDCG@10'],
  ['recallAt10', 'Recall@10'],
  ['hitRateAt10', 'Hit rate@10'],
  ['coverageAt10', 'Coverage@10'],
] as const;

interface VersionSummaryProps {
  version: FragmentType<typeof VERSION>;
  /** Whether to link to the run that made it. */
  withRun?: boolean;
}

/** What a version is worth: its quality on held-out interactions beside its baselines, and how it finds items. */
export function VersionSummary({ version: masked, withRun = true }: VersionSummaryProps) {
  const version = readFragment(VERSION, masked);
  const now = useNow(30_000);
  const { metrics, index, activatedAt } = version;
  const baselines = version.baselines.toSorted(byPopularityFirst);
  const popularity = baselines.find(({ name }) => name === 'POPULARITY')?.metrics ?? null;
  const lift = metrics && popularity ? formatLift(metrics.ndcgAt10, popularity.ndcgAt10) : null;
  return (
    <div className={classes.frame}>
      <div className={classes.summary} data-testid="version-summary">
        <div className={classes.lead}>
          <span className={classes.caption}>NDCG@10</span>
          <span className={`${classes.figure} numeric`} data-testid="version-ndcg">
            {metrics ? formatMetric(metrics.ndcgAt10) : '–'}
          </span>
          {lift === null ? null : <span className={classes.lift}>{lift} over popularity</span>}
          <span className={classes.meta}>
            <StatusPill tone={version.status === 'ACTIVE' ? 'good' : 'neutral'} label={`Version ${version.number}`} />
            {version.algorithm === 'SPECTRAL' ? <StatusPill tone="iris" label="Instant first model" /> : null}
            {activatedAt ? (
              <span title={formatDateTime(activatedAt)}>serving since {formatAgo(activatedAt, now)}</span>
            ) : null}
          </span>
          {index ? (
            <span className={classes.meta}>
              {index.kind === 'FAISS' ? `FAISS ${index.factory ?? ''}` : 'Exact search'} · recall@20{' '}
              {formatShare(index.recallAt20)}
            </span>
          ) : null}
          {withRun ? (
            <Link href={`/runs/${version.run.id}`} className={classes.run}>
              {version.algorithm === 'SPECTRAL' ? 'The training that follows it' : 'How it was trained'}
            </Link>
          ) : null}
        </div>
        {metrics ? (
          <div className={classes.bars}>
            {BARS.map(([field, label]) => (
              <QualityBars
                key={field}
                label={label}
                model={{ name: algorithmName(version.algorithm), value: metrics[field] }}
                baselines={baselines.map((baseline) => ({
                  name: algorithmName(baseline.name),
                  value: baseline.metrics[field],
                }))}
              />
            ))}
          </div>
        ) : null}
      </div>
    </div>
  );
}
