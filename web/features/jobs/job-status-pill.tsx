import type { JobStatus } from '../../src/generated/graphql.ts';
import { type PillTone, StatusPill } from '../shell/status-pill.tsx';

const LOOKS: Readonly<Record<JobStatus, readonly [PillTone, string]>> = {
  QUEUED: ['neutral', 'Queued'],
  RUNNING: ['live', 'Running'],
  SUCCEEDED: ['good', 'Succeeded'],
  FAILED: ['bad', 'Failed'],
  CANCELLED: ['warm', 'Cancelled'],
};

/** Where long work stands, in one word. */
export function JobStatusPill({ status }: { status: JobStatus }) {
  const [tone, label] = LOOKS[status];
  return <StatusPill tone={tone} label={label} testId="job-status" />;
}
