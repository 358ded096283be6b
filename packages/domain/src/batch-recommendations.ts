import type { BatchRecommendationId, ModelVersionId, TenantId, UserId } from './ids.ts';
import { jobFolder } from './jobs.ts';

/** What was asked for. */
export interface BatchRecommendationOrder {
  versionId: ModelVersionId;
  /** How many items each user gets at most. */
  count: number;
  /** Null for all users of the version. */
  userIds: UserId[] | null;
  /** How long the file stays once it is whole. */
  keptForMs: number;
}

/** How far a batch has come. */
export interface BatchRecommendationState {
  /** How many users it is about. */
  userCount: number;
  /** How many of them are done, in order: the parts of the file hold exactly these. */
  doneCount: number;
  /** Those of them who have no line: the version does not know them, or they are gone. */
  skippedCount: number;
  partCount: number;
  /** Of the whole file; null until it is whole. */
  sizeBytes: number | null;
  /** Until when the file stays, in epoch milliseconds; null until it is whole. */
  expiresAtMs: number | null;
  /** When it was deleted. */
  deletedAtMs: number | null;
}

/** What a line of the file says of a user: the best items first. */
export interface BatchRecommendationLine {
  userExternalId: string;
  items: { externalId: string; score: number }[];
}

/** How many users one batch may name. */
export const MOST_NAMED_USERS = 1_000;

/** The key of the whole file of a batch: a `BatchRecommendationLine` as JSON on each line. */
export function batchFileKey(job: { tenantId: TenantId; jobId: BatchRecommendationId }): string {
  return `${jobFolder(job)}/recommendations.jsonl`;
}

/** The part of a line that says whose it is: how every line of the user begins. */
export function beginningOfLine(userExternalId: string): string {
  return `{"userExternalId":${JSON.stringify(userExternalId)},`;
}
