import { resolveHyperparameters } from '@kindred/core/lightgcn/hyperparameters';
import type { Db } from '@kindred/db/client';
import { withTenant } from '@kindred/db/tenants';
import { fixHyperparameters, setTrainingCompute } from '@kindred/db/training-runs';
import type { Hyperparameters, TrainingCompute } from '@kindred/domain/training';
import { Context } from '@temporalio/activity';
import { type CheckpointPointer, furthest, readLatestPointer, storeCheckpoint } from '../checkpoints.ts';
import { startComputeThread } from '../compute-thread.ts';
import type { TrainModelInput } from '../contract.ts';
import { translateCoreError } from '../core-failures.ts';
import { requireMemory } from '../enough-memory.ts';
import { withHeartbeat } from '../heartbeat.ts';
import { loadRun } from '../load-run.ts';
import { recordEvent } from '../record-event.ts';
import { type ModelRef, storeModel } from '../store-model.ts';
import type { NextEpoch, TrainingThreadInput } from '../training-thread.ts';
import { beginPhase } from './begin-phase.ts';
import type { ActivityDeps } from './create-activities.ts';
import type { SnapshotRef } from './export-snapshot.ts';

const TRAINING_THREAD = new URL('../training-thread.ts', import.meta.url);

/**
 * Trains until the epochs are done or validation has not improved for as many epochs as the run has patience. Every epoch
 * is first told, then stored: an attempt that takes over goes on behind the last stored one and repeats at most one, whose
 * event is then there already. One that is stopping ends with the best epoch so far, of which there is at least one.
 */
export async function trainEmbeddings(
  deps: ActivityDeps,
  input: TrainModelInput & { snapshot: SnapshotRef; isStopping?: boolean },
): Promise<ModelRef> {
  const { snapshot, isStopping = false } = input;
  const hyperparameters = await settleHyperparameters(deps.db, input);
  requireMemory({ ...snapshot, ...hyperparameters });
  await beginPhase(deps, input, {
    phase: 'TRAIN',
    message: `Learning from ${snapshot.interactionCount.toLocaleString('en')} interactions`,
  });
  const { activityId, attempt, heartbeatDetails } = Context.current().info as {
    activityId: string;
    attempt: number;
    heartbeatDetails?: CheckpointPointer;
  };
  let pointer = furthest(heartbeatDetails, await readLatestPointer(deps.objects, input));
  if (pointer !== null) {
    const body = { kind: 'LOG' as const, message: `Going on after epoch ${pointer.epoch}` };
    await recordEvent(deps, { ...input, dedupeKey: `resumed:${activityId}:${attempt}`, body });
  }
  return withHeartbeat(
    async (signal) => {
      const threadInput: TrainingThreadInput = {
        snapshotPath: await deps.objects.materialize(snapshot.key),
        checkpointPath: pointer && (await deps.objects.materialize(pointer.checkpointKey)),
        hyperparameters,
        isStopping,
      };
      await using thread = startComputeThread<NextEpoch>(TRAINING_THREAD, threadInput, signal);
      const ask = () => thread.ask().catch((error: unknown) => Promise.reject(translateCoreError(error)));
      let next = await ask();
      while (next.kind !== 'finished') {
        if (next.kind === 'prepared') {
          await announceCompute(deps, input, next.compute);
        } else {
          await announceEpoch(deps, input, { ...next, epochs: hyperparameters.epochs });
          pointer = await storeCheckpoint(deps.objects, input, { epoch: next.report.epoch, bytes: next.checkpoint });
        }
        next = await ask();
      }
      if (pointer === null) {
        throw new Error(`Wanted at least one of ${hyperparameters.epochs} epochs, got none.`);
      }
      return storeModel(deps.objects, input, { algorithm: 'LIGHTGCN', artefact: next.artefact });
    },
    () => pointer,
  );
}

/** What was set, and for the rest the defaults for the interactions that the run trains on: once per run. */
async function settleHyperparameters(
  db: Db,
  input: TrainModelInput & { snapshot: SnapshotRef },
): Promise<Hyperparameters> {
  const { userCount, itemCount, trainingCount } = input.snapshot;
  const { settings } = await loadRun(db, input);
  const hyperparameters = resolveHyperparameters({ userCount, itemCount, interactionCount: trainingCount }, settings);
  return withTenant(db, input.tenantId, (tx) => fixHyperparameters(tx, { runId: input.runId, hyperparameters }));
}

/** Told anew when an attempt that takes over computes with something else. */
async function announceCompute(deps: ActivityDeps, input: TrainModelInput, compute: TrainingCompute): Promise<void> {
  const { backend, detail, reason } = compute;
  const message = `Computing with the ${backend} back-end (${detail}): ${reason}`;
  await recordEvent(deps, { ...input, dedupeKey: `compute:${message}`, body: { kind: 'LOG', message } }, (tx) =>
    setTrainingCompute(tx, { runId: input.runId, compute }),
  );
}

async function announceEpoch(
  deps: ActivityDeps,
  input: TrainModelInput,
  { report, durationMs, epochs }: Extract<NextEpoch, { kind: 'epoch' }> & { epochs: number },
): Promise<void> {
  const { epoch, sampleCount, loss, ndcgAt10, recallAt10 } = report;
  await recordEvent(deps, {
    ...input,
    dedupeKey: `epoch:${epoch}`,
    body: {
      kind: 'EPOCH_FINISHED',
      epoch,
      epochs,
      loss,
      ndcgAt10,
      recallAt10,
      samplesPerSecond: (sampleCount * 1000) / Math.max(durationMs, 0.001),
      etaMs: (epochs - epoch) * durationMs,
    },
  });
}
