'use client';

import { IconChevronRight } from '@tabler/icons-react';
import Link from 'next/link';
import { formatAgo, formatDateTime, formatDuration, formatMetric } from '../../lib/format.ts';
import { type FragmentType, readFragment } from '../../src/generated/fragment-masking.ts';
import { graphql } from '../../src/generated/gql.ts';
import type { RunListRowFragment } from '../../src/generated/graphql.ts';
import { useNow } from '../shell/use-now.ts';
import classes from './run-list.module.css';
import { isOver, PHASE_LABELS, RunStatusPill } from './run-status-pill.tsx';

const ROW = graphql(`
  fragment RunListRow on TrainingRun {
    id
    status
    phase
    failure
    createdAt
    startedAt
    finishedAt
    model {
      id
      name
    }
    version {
      id
      number
      metrics {
        ndcgAt10
      }
    }
  }
`);

/** Runs, newest first, each a link to its page. */
export function RunList({ runs: masked }: { runs: readonly FragmentType<typeof ROW>[] }) {
  const runs = readFragment(ROW, masked);
  const now = useNow(
    1000,
    runs.some(({ status }) => !isOver(status)),
  );
  return (
    <ul className={classes.list}>
      {runs.map((run) => (
        <li key={run.id}>
          <Link href={`/runs/${run.id}`} className={classes.row} data-testid="run-row">
            <span className={classes.name}>
              <span>{run.model.name}</span>
              <span className={classes.when} title={formatDateTime(run.createdAt)}>
                {formatAgo(run.createdAt, now)}
              </span>
            </span>
            <span className={classes.outcome}>{describeOutcome(run)}</span>
            <span className={`${classes.took} numeric`}>{describeDuration(run, now)}</span>
            <span className={classes.state}>
              <RunStatusPill status={run.status} />
            </span>
            <IconChevronRight size={16} className={classes.go} aria-hidden="true" />
          </Link>
        </li>
      ))}
    </ul>
  );
}

function describeOutcome({ status, phase, failure, version }: RunListRowFragment): string {
  if (version?.metrics) return `Version ${version.number} · NDCG@10 ${formatMetric(version.metrics.ndcgAt10)}`;
  if (status === 'FAILED') return failure ?? 'Failed';
  return phase && status === 'RUNNING' ? PHASE_LABELS[phase] : '';
}

function describeDuration({ startedAt, finishedAt }: RunListRowFragment, now: number): string {
  if (!startedAt) return '';
  return formatDuration((finishedAt ? Date.parse(finishedAt) : now) - Date.parse(startedAt));
}
