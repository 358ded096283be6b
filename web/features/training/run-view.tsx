'use client';

import { Button } from '@mantine/core';
import { IconSparkles } from '@tabler/icons-react';
import Link from 'next/link';
import { useEffect, useEffectEvent } from 'react';
import { formatDateTime, formatLoss, formatMetric } from '../../lib/format.ts';
import { graphql } from '../../src/generated/gql.ts';
import type { RunDetailFragment, TrainingRunStatus } from '../../src/generated/graphql.ts';
import { algorithmName } from '../models/algorithm-names.ts';
import { CanaryOutcome } from '../models/canary-outcome.tsx';
import { HyperparameterList } from '../models/hyperparameter-list.tsx';
import { PromoteButton } from '../models/promote-button.tsx';
import { TrainButton } from '../models/train-button.tsx';
import { VersionSummary } from '../models/version-summary.tsx';
import { Notice } from '../shell/notice.tsx';
import { PageHeader } from '../shell/page-header.tsx';
import { Panel } from '../shell/panel.tsx';
import { useNow } from '../shell/use-now.ts';
import { ComputeLine } from './compute-line.tsx';
import { CurveChart } from './curve-chart.tsx';
import { DeviceLine } from './device-line.tsx';
import { EventLog } from './event-log.tsx';
import { LiveState } from './live-state.tsx';
import { PhaseStepper } from './phase-stepper.tsx';
import { QueuePosition } from './queue-position.tsx';
import { QualityGate } from './quality-gate.tsx';
import { RunFigures } from './run-figures.tsx';
import { isOver, RunStatusPill } from './run-status-pill.tsx';
import { SteeringButtons } from './steering-buttons.tsx';
import classes from './run-view.module.css';
import { axisEnd, bestEpoch, type TrainingProgress } from './training-progress.ts';
import { useTrainingProgress } from './use-training-progress.ts';

export const RUN_DETAIL = graphql(`
  fragment RunDetail on TrainingRun {
    id
    status
    phase
    failure
    createdAt
    startedAt
    finishedAt
    workflowUrl
    model {
      id
      name
    }
    hyperparameters {
      ...HyperparameterList
    }
    ...DeviceLine
    ...QueuePosition
    compute {
      ...ComputeLine
    }
    qualityGate {
      passed
      ...QualityGate
    }
    version {
      id
      number
      status
      metrics {
        ndcgAt10
      }
      canary {
        ...CanaryOutcome
      }
      ...VersionSummary
    }
    versions {
      id
      algorithm
      number
      status
      ...VersionSummary
    }
  }
`);

interface RunViewProps {
  run: RunDetailFragment;
  /** Called when there may be more of the run to ask for than its events say. */
  onChanged: () => void;
}

/** A run while it happens, and after. */
export function RunView({ run, onChanged }: RunViewProps) {
  const { progress, refusal } = useTrainingProgress(run.id);
  const over = isOver(run.status);
  const status = shownStatus(run.status, progress);
  const now = useNow(500, !over);
  const until = run.finishedAt ? Date.parse(run.finishedAt) : now;
  useRecord(progress, onChanged);

  return (
    <>
      <PageHeader
        title="Training run"
        trail={[
          { label: 'Models', href: '/models' },
          { label: run.model.name, href: `/models/${run.model.id}` },
        ]}
        badge={
          <>
            <RunStatusPill status={status} paused={progress.paused} testId="run-status" />
            <LiveState finished={progress.finished} refused={refusal !== null} />
          </>
        }
        description={`Asked for ${formatDateTime(run.createdAt)}`}
        actions={<Actions run={run} progress={progress} />}
      />
      <div className={classes.page}>
        {refusal === null ? null : <Notice title="The events of this run cannot be followed">{refusal}</Notice>}
        {status === 'FAILED' ? (
          <Notice title="The training failed" testId="run-failure">
            {run.failure ?? progress.log.at(-1)?.text ?? 'No reason was given.'}
          </Notice>
        ) : null}
        <InstantModel run={run} over={over} />
        <Result run={run} />
        <Judgement run={run} onChanged={onChanged} />
        {run.version?.canary ? <CanaryOutcome canary={run.version.canary} /> : null}
        <QueuePosition run={run} onLook={onChanged} />
        <Panel>
          <PhaseStepper
            progress={progress.phase === null ? { ...progress, phase: run.phase ?? null } : progress}
            status={status}
            until={until}
          />
        </Panel>
        <RunFigures progress={progress} startedAt={run.startedAt ?? null} until={until} over={over} />
        <Curves progress={progress} over={over} />
        <div className={classes.foot}>
          <EventLog lines={progress.log} />
          <RunRecord run={run} />
        </div>
      </div>
    </>
  );
}

/** Asks for the run anew when a step has changed what its events do not tell: versions, settings and back-end. */
function useRecord({ finished, phase, points }: TrainingProgress, onChanged: () => void): void {
  const tellChanged = useEffectEvent(onChanged);
  const begun = points.length > 0 ? 'EPOCHS' : phase === 'TRAIN' ? 'TRAINING' : null;
  const stage = finished ? 'ENDED' : begun;
  useEffect(() => {
    if (stage !== null) tellChanged();
  }, [stage]);
}

/** What the run was made with. */
function RunRecord({ run }: { run: RunDetailFragment }) {
  const { compute, hyperparameters, workflowUrl } = run;
  return (
    <div className={classes.record}>
      {workflowUrl ? (
        <a href={workflowUrl} target="_blank" rel="noreferrer" className={classes.workflow} data-testid="run-workflow">
          This run in Temporal
        </a>
      ) : null}
      <Panel title="Computed by">
        <DeviceLine run={run} />
        {compute ? <ComputeLine compute={compute} /> : null}
      </Panel>
      <Panel title="Settings of this run">
        <HyperparameterList hyperparameters={hyperparameters} />
      </Panel>
    </div>
  );
}

/** The stored status, unless the events are ahead of it. */
function shownStatus(status: TrainingRunStatus, progress: TrainingProgress): TrainingRunStatus {
  return status === 'QUEUED' && progress.phase !== null ? 'RUNNING' : status;
}

function Actions({ run, progress }: { run: RunDetailFragment; progress: TrainingProgress }) {
  if (!isOver(run.status)) return progress.finished ? null : <SteeringButtons runId={run.id} progress={progress} />;
  return (
    <>
      {run.status === 'SUCCEEDED' ? (
        <Button
          component={Link}
          href="/recommendations"
          variant="default"
          leftSection={<IconSparkles size={16} />}
          data-testid="try-recommendations"
        >
          Try recommendations
        </Button>
      ) : null}
      <TrainButton modelId={run.model.id} label="Train again" />
    </>
  );
}

/** Why the version answers, or why it was kept back. */
function Judgement({ run: { qualityGate, version }, onChanged }: RunViewProps) {
  if (!qualityGate) return null;
  const isKeptBack = version?.status === 'READY';
  return (
    <Panel
      title={qualityGate.passed ? 'Good enough to answer' : 'Kept back by the quality gate'}
      description="What the version was judged by before it may answer."
    >
      <QualityGate gate={qualityGate} />
      {isKeptBack ? <PromoteButton versionId={version.id} onPromoted={onChanged} /> : null}
    </Panel>
  );
}

function Result({ run: { status, version } }: { run: RunDetailFragment }) {
  if (status !== 'SUCCEEDED' || !version?.metrics) return null;
  return (
    <Panel
      title={`Result: version ${version.number}${version.status === 'ACTIVE' ? ' is serving' : ''}`}
      description="Measured on test interactions that neither training nor early stopping saw."
      testId="run-result"
    >
      <VersionSummary version={version} withRun={false} />
    </Panel>
  );
}

/** What answers while the training goes on. */
function InstantModel({ run: { versions }, over }: { run: RunDetailFragment; over: boolean }) {
  const instant = versions.find(({ algorithm }) => algorithm === 'SPECTRAL');
  if (over || instant?.status !== 'ACTIVE') return null;
  return (
    <Panel
      title={`Serving already: version ${instant.number}, the instant first model`}
      description="It needed no training; the trained version takes over."
      testId="instant-model"
    >
      <VersionSummary version={instant} withRun={false} />
    </Panel>
  );
}

function Curves({ progress, over }: { progress: TrainingProgress; over: boolean }) {
  const blank = over ? 'No epoch was trained.' : 'The curve begins with the first epoch.';
  const { points, plannedEpochs, baselines } = progress;
  const end = axisEnd(points.length, plannedEpochs);
  return (
    <div className={classes.curves}>
      <CurveChart
        title="NDCG@10"
        note="on validation interactions, all items ranked"
        points={points}
        field="ndcgAt10"
        axisEnd={end}
        color="var(--k-good-line)"
        format={formatMetric}
        fromZero
        references={baselines.map(({ name, ndcgAt10 }) => ({
          label: algorithmName(name),
          value: ndcgAt10,
          color: name === 'POPULARITY' ? 'var(--k-warm-line)' : 'var(--k-model)',
        }))}
        best={bestEpoch(points)}
        blank={blank}
        testId="ndcg-chart"
      />
      <CurveChart
        title="Loss"
        note="mean of the epoch, on training interactions"
        points={points}
        field="loss"
        axisEnd={end}
        color="var(--k-model)"
        format={formatLoss}
        fromZero={false}
        blank={blank}
        testId="loss-chart"
      />
    </div>
  );
}
