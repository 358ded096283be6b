import { createWriteStream } from 'node:fs';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { advanceJob } from '@kindred/db/jobs';
import { withTenant } from '@kindred/db/tenants';
import { type BatchRecommendationState, batchFileKey } from '@kindred/domain/batch-recommendations';
import type { BatchRecommendationId, UserId } from '@kindred/domain/ids';
import { jobFolder } from '@kindred/domain/jobs';
import type { ActivityDeps } from '../activities/create-activities.ts';
import { type BatchRow, loadBatch } from '../load-batch.ts';
import { type JobRef, recordJobChange } from '../record-job.ts';
import { createLineWriter, type RankedVersion } from './write-lines.ts';

/** Users per part: what a killed worker repeats at most. A part of 100 items each is about 2 MB. */
const USERS_PER_PART = 500;

/** Where the parts of a batch are until its file is whole. */
export function partsFolder(job: JobRef<BatchRecommendationId>): string {
  return `${jobFolder(job)}/parts`;
}

/**
 * Writes the parts that are missing, each as an object of its own, and after each how far the batch has come: of two attempts
 * one gets through. Should the other write its part over this one's, it is as right: the same users, a moment apart.
 * @throws JobSupersededError
 */
export async function writeParts(
  deps: ActivityDeps,
  { job, signal, ...version }: RankedVersion & { job: BatchRow; signal: AbortSignal },
): Promise<void> {
  const ref = { tenantId: job.tenantId, jobId: job.id };
  const userIds = job.order.userIds ?? (version.artefact.userIds as readonly UserId[]);
  const writeLines = createLineWriter(deps.db, job, version);
  let { state, revision } = job;
  while (state.doneCount < state.userCount) {
    signal.throwIfAborted();
    const users = userIds.slice(state.doneCount, state.doneCount + USERS_PER_PART);
    const lines = await writeLines(users);
    await deps.objects.put(partKey(ref, state.partCount), Buffer.from(lines.join('')));
    const next: BatchRecommendationState = {
      ...state,
      doneCount: state.doneCount + users.length,
      skippedCount: state.skippedCount + users.length - lines.length,
      partCount: state.partCount + 1,
    };
    revision = await advance(deps, ref, { revision, state: next });
    state = next;
  }
}

/** Makes one file of the parts, through a local one. A repeat writes the same file. */
export async function joinParts(deps: ActivityDeps, ref: JobRef<BatchRecommendationId>): Promise<void> {
  const { state, revision } = await loadBatch(deps.db, ref);
  const folder = await mkdtemp(join(tmpdir(), 'kindred-batch-'));
  try {
    const path = join(folder, 'file');
    await pipeline(readParts(deps, ref, state.partCount), createWriteStream(path));
    await deps.objects.putFile(batchFileKey(ref), path);
    const { size: sizeBytes } = await stat(path);
    await withTenant(deps.db, ref.tenantId, (tx) =>
      advanceJob(tx, { id: ref.jobId, revision, state: { ...state, sizeBytes } }),
    );
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function* readParts(
  { objects }: ActivityDeps,
  ref: JobRef<BatchRecommendationId>,
  partCount: number,
): AsyncGenerator<Uint8Array> {
  for (let number = 0; number < partCount; number += 1) {
    yield await objects.get(partKey(ref, number));
  }
}

function partKey(ref: JobRef<BatchRecommendationId>, number: number): string {
  return `${partsFolder(ref)}/${String(number).padStart(6, '0')}`;
}

async function advance(
  deps: ActivityDeps,
  ref: JobRef<BatchRecommendationId>,
  { revision, state }: { revision: number; state: BatchRecommendationState },
): Promise<number> {
  return recordJobChange(deps, ref, async (tx) => {
    const result = await advanceJob(tx, { id: ref.jobId, revision, state });
    const count = (value: number) => value.toLocaleString('en');
    const message = `${count(state.doneCount)} of ${count(state.userCount)} users done.`;
    const body = { kind: 'PROGRESSED' as const, message, details: { ...state } };
    return { result, event: { dedupeKey: `revision:${result}`, body } };
  });
}
