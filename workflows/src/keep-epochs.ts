import { withTenant } from '@kindred/db/tenants';
import { KEPT_CHECKPOINTS, keepCheckpoints, SupersededError } from '@kindred/db/training-checkpoints';
import { appendBehindLock } from '@kindred/db/training-events';
import { findTrainingRuns } from '@kindred/db/training-runs';
import { type Checkpoint, type TrainingEventBody, trainingTopic } from '@kindred/domain/training';
import type { ObjectStore } from '@kindred/service/object-store';
import { storeCheckpoint } from './checkpoints.ts';
import { announce, type EventDeps, type RunRef } from './record-event.ts';
import { runFolder } from './run-files.ts';
import type { FinishedEpoch, SavedTraining } from './training-thread.ts';

export interface KeepEpochsDeps extends EventDeps {
  objects: ObjectStore;
}

/** Epochs that are over and nobody knows of yet. */
export interface NewEpochs {
  epochs: readonly FinishedEpoch[];
  saved: SavedTraining;
  /** How many epochs the training is set to. */
  epochCount: number;
  /** Of the attempt that computed them. */
  fence: number;
  /** The checkpoints that the run's row names, newest first. */
  kept: readonly Checkpoint[];
}

/**
 * Tells epochs, in one transaction with naming the checkpoint that came with them, whose file is durable by then; an epoch
 * that was told before adds nothing.
 * @returns the checkpoints that are kept now. @throws SupersededError when another attempt has taken over.
 */
export async function keepEpochs(deps: KeepEpochsDeps, run: RunRef, found: NewEpochs): Promise<readonly Checkpoint[]> {
  const { saved, fence, kept } = found;
  const { tenantId, runId } = run;
  const all = [await storeCheckpoint(deps.objects, run, saved), ...kept];
  const named = all.slice(0, KEPT_CHECKPOINTS);
  const drafts = found.epochs.map((epoch) => ({
    dedupeKey: `epoch:${epoch.epoch}`,
    at: epoch.at,
    body: describeEpoch(epoch, found.epochCount),
  }));
  try {
    const events = await withTenant(deps.db, tenantId, async (tx) => {
      const locked = await keepCheckpoints(tx, { runId, fence, checkpoints: named });
      return appendBehindLock(tx, locked, drafts);
    });
    await Promise.all(events.map((event) => announce(deps, trainingTopic(tenantId, runId), event)));
  } catch (error) {
    if (error instanceof SupersededError) await clearBehindEnd(deps, run);
    throw error;
  }
  for (const { key } of all.slice(KEPT_CHECKPOINTS)) await deps.objects.delete(key);
  return named;
}

function describeEpoch(finished: FinishedEpoch, epochs: number): TrainingEventBody {
  const { epoch, loss, ndcgAt10, recallAt10, sampleCount, durationMs } = finished;
  const samplesPerSecond = (sampleCount * 1000) / Math.max(durationMs, 0.001);
  const etaMs = (epochs - epoch) * durationMs;
  return { kind: 'EPOCH_FINISHED', epoch, epochs, loss, ndcgAt10, recallAt10, samplesPerSecond, etaMs };
}

/** What an attempt wrote that came too late is in nobody's way while the run is open; behind its end nobody else clears it. */
async function clearBehindEnd({ db, objects }: KeepEpochsDeps, run: RunRef): Promise<void> {
  const [found] = await withTenant(db, run.tenantId, (tx) => findTrainingRuns(tx, [run.runId]));
  if (found === undefined || found.finishedAt !== null) await objects.delete(runFolder(run));
}
