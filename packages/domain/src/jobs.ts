import type { BatchRecommendationId, ImportId, TenantId, TuningId } from './ids.ts';

/** Long work that a tenant asked for, besides trainings. */
export type JobKind = 'IMPORT' | 'TUNING' | 'BATCH_RECOMMENDATION';

export type JobId = ImportId | TuningId | BatchRecommendationId;

export type JobStatus = 'QUEUED' | 'RUNNING' | 'SUCCEEDED' | 'FAILED' | 'CANCELLED';

export type JobEnding = Extract<JobStatus, 'SUCCEEDED' | 'FAILED' | 'CANCELLED'>;

/** What one stored event of a job says. `FINISHED` is the last. */
export type JobEventBody =
  | { kind: 'PROGRESSED'; message: string; details: Readonly<Record<string, unknown>> }
  | { kind: 'FINISHED'; status: JobEnding; message: string };

/** One live event of a job. `sequence` starts at 1 and has no gaps within a job; `at` is epoch milliseconds. */
export interface JobEvent {
  jobId: string;
  sequence: number;
  at: number;
  body: JobEventBody;
}

/** The Redis channel on which a job's events are fanned out; the tenant is part of every topic. */
export function jobTopic(tenantId: string, jobId: string): string {
  return `tenant:${tenantId}:job:${jobId}`;
}

/** The object store folder of what a job writes. */
export function jobFolder({ tenantId, jobId }: { tenantId: TenantId; jobId: JobId }): string {
  return `tenants/${tenantId}/jobs/${jobId}`;
}
