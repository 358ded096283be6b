'use client';

import { IconAdjustments } from '@tabler/icons-react';
import { useQuery } from 'urql';
import { formatDateTime, formatDuration, formatMetric } from '../../lib/format.ts';
import { readFragment } from '../../src/generated/fragment-masking.ts';
import { graphql } from '../../src/generated/gql.ts';
import type { TuningDetailFragment } from '../../src/generated/graphql.ts';
import classes from '../jobs/job-layout.module.css';
import { JobStatusPill } from '../jobs/job-status-pill.tsx';
import { doneShare, isJobOver } from '../jobs/job-status.ts';
import { useLiveJob } from '../jobs/use-live-job.ts';
import { WritersOnly } from '../session/writers-only.tsx';
import { FigureStrip } from '../shell/figure-strip.tsx';
import { Notice } from '../shell/notice.tsx';
import { PageHeader } from '../shell/page-header.tsx';
import { Panel } from '../shell/panel.tsx';
import { UnreadyPage } from '../shell/unready-page.tsx';
import { useNow } from '../shell/use-now.ts';
import { LiveState } from '../training/live-state.tsx';
import { settingsText } from './settings-text.ts';
import { TrialList } from './trial-list.tsx';
import { endedCount, leadingTrial } from './trial-order.ts';
import { ApplyTuningButton, CancelTuningButton } from './tuning-actions.tsx';

const DETAIL = graphql(`
  fragment TuningDetail on Tuning {
    id
    status
    failure
    trialCount
    lastSequence
    appliedAt
    createdAt
    startedAt
    finishedAt
    model {
      id
      name
    }
    best {
      number
      ndcgAt10
      settings {
        name
        value
      }
    }
    trials(first: 64) {
      edges {
        cursor
        node {
          number
          status
          ndcgAt10
          ...TrialRow
        }
      }
    }
  }
`);

const TUNING = graphql(`
  query Tuning($id: ID!) {
    tuning(id: $id) {
      ...TuningDetail
    }
  }
`);

const PROGRESS = graphql(`
  subscription TuningProgress($id: ID!, $afterSequence: Int) {
    tuningProgress(tuningId: $id, afterSequence: $afterSequence) {
      sequence
      tuning {
        ...TuningDetail
      }
    }
  }
`);

const TRAIL = [{ label: 'Models', href: '/models' }];

const MISSING = { icon: IconAdjustments, title: 'No such tuning' };

export function TuningPage({ tuningId }: { tuningId: string }) {
  const [{ data, error, fetching }, refetch] = useQuery({
    query: TUNING,
    variables: { id: tuningId },
    requestPolicy: 'cache-and-network',
  });
  const tuning = readFragment(DETAIL, data?.tuning);
  const refresh = () => refetch({ requestPolicy: 'network-only' });
  if (tuning) return <TuningView tuning={tuning} onChanged={refresh} />;
  return (
    <UnreadyPage title="Tuning" trail={TRAIL} missing={MISSING} fetching={fetching} error={error} onRetry={refresh} />
  );
}

interface TuningViewProps {
  tuning: TuningDetailFragment;
  onChanged: () => void;
}

/** A tuning while it happens, and after. */
function TuningView({ tuning, onChanged }: TuningViewProps) {
  const over = isJobOver(tuning.status);
  useLiveJob(PROGRESS, { id: tuning.id, lastSequence: tuning.lastSequence, over, onLost: onChanged });
  const trials = tuning.trials.edges.map(({ node }) => node);
  return (
    <>
      <PageHeader
        title="Tuning"
        trail={[...TRAIL, { label: tuning.model.name, href: `/models/${tuning.model.id}` }]}
        badge={
          <>
            <JobStatusPill status={tuning.status} />
            <LiveState finished={over} refused={false} />
          </>
        }
        description={`Asked for ${formatDateTime(tuning.createdAt)}. Trials are compared on validation interactions alone.`}
        actions={
          over ? undefined : (
            <WritersOnly>
              <CancelTuningButton tuningId={tuning.id} onChanged={onChanged} />
            </WritersOnly>
          )
        }
      />
      <div className={classes.stack}>
        {tuning.status === 'FAILED' ? (
          <Notice title="The tuning failed">{tuning.failure ?? 'No reason was given.'}</Notice>
        ) : null}
        <BestTrial tuning={tuning} onChanged={onChanged} />
        <Progress tuning={tuning} />
        <Panel title="Trials" description="Bad ones are given up early." flush>
          <TrialList trials={trials} />
        </Panel>
      </div>
    </>
  );
}

function Progress({ tuning }: { tuning: TuningDetailFragment }) {
  const { status, trialCount, startedAt, finishedAt } = tuning;
  const over = isJobOver(status);
  const now = useNow(1_000, !over);
  const trials = tuning.trials.edges.map(({ node }) => node);
  const leader = leadingTrial(trials);
  const until = finishedAt ? Date.parse(finishedAt) : now;
  const ended = endedCount(trials);
  return (
    <FigureStrip
      testId="job-progress"
      label="Trials ended"
      share={doneShare(ended, trialCount, status)}
      over={over}
      figures={[
        { label: 'Trials ended', value: ended, note: `of ${trialCount}` },
        {
          label: 'Best NDCG@10',
          value: leader?.ndcgAt10 == null ? '–' : formatMetric(leader.ndcgAt10),
          note: leader === null ? 'before the first epoch' : `trial ${leader.number}`,
        },
        {
          label: 'Elapsed',
          value: startedAt ? formatDuration(until - Date.parse(startedAt)) : '–',
          note: 'since the start',
        },
      ]}
    />
  );
}

/** What the tuning found, and the way to use it. */
function BestTrial({ tuning: { id, best, appliedAt, status }, onChanged }: TuningViewProps) {
  if (!isJobOver(status)) return null;
  if (!best) {
    return <Notice title="No settings were found">No trial came as far as its first epoch.</Notice>;
  }
  return (
    <Panel
      title={`Best: trial ${best.number}`}
      description={best.ndcgAt10 == null ? undefined : `Validation NDCG@10 ${formatMetric(best.ndcgAt10)}`}
      aside={
        appliedAt || best.settings.length === 0 ? undefined : (
          <WritersOnly deed="change the settings of a model">
            <ApplyTuningButton tuningId={id} onChanged={onChanged} />
          </WritersOnly>
        )
      }
      testId="best-trial"
    >
      {settingsText(best.settings)}
      {appliedAt ? `. The model took them ${formatDateTime(appliedAt)}.` : ''}
    </Panel>
  );
}
