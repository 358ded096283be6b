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
  CANARY: 'Canary',
};

interface RunStatusPillProps {
  status: TrainingRunStatus;
  /** Whether the run waits for somebody to let it go on. */
  paused?: boolean;
  testId?: string;
}

export function RunStatusPill({ status, paused = false, testId }: RunStatusPillProps) {
  const [tone, label] = paused ? (['warm', 'Paused'] as const) : [TONES[status], LABELS[status]];
  return <StatusPill tone={tone} label={label} {...(testId === undefined ? {} : { testId })} />;
}

export function isOver(status: TrainingRunStatus): boolean {
  return status === 'SUCCEEDED' || status === 'FAILED' || status === 'CANCELLED';
}
