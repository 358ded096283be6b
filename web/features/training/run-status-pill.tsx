import type { TrainingPhase, TrainingRunStatus } from '../../src/generated/graphql.ts';
import { type PillTone, StatusPill } from '../shell/status-pill.tsx';

const TONES: Record<TrainingRunStatus, PillTone> = {
  QUEUED: 'neutral',
  RUNNING: 'live',
  SUCCEEDED: 'good',
  FAILED: 'bad',
  CANCELLED: 'warm',
};

const LABELS: Record<TrainingRunStatus, string> = {
  QUEUED: 'Queued',
  RUNNING: 'Running',
  SUCCEEDED: 'Succeeded',
  FAILED: 'Failed',
  CANCELLED: 'Cancelled',
};

export const PHASE_LABELS: Record<TrainingPhase, string> = {
  PREFLIGHT: 'Preflight',
  SNAPSHOT: 'Snapshot',
  INSTANT_MODEL: 'Instant model',
  TRAIN: 'Train',
  EVALUATE: 'Evaluate',
  BUILD_INDEX: 'Build index',
  PROMOTE: 'Promote',
};

export function RunStatusPill({ status, testId }: { status: TrainingRunStatus; testId?: string }) {
  return <StatusPill tone={TONES[status]} label={LABELS[status]} {...(testId === undefined ? {} : { testId })} />;
}

export function isOver(status: TrainingRunStatus): boolean {
  return status === 'SUCCEEDED' || status === 'FAILED' || status === 'CANCELLED';
}
