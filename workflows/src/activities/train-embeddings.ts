import { resolveHyperparameters } from '@kindred/core/lightgcn/hyperparameters';
import type { Db } from '@kindred/db/client';
import { withTenant } from '@kindred/db/tenants';
import { addCheckpoint, claimTrainingRun, KEPT_CHECKPOINTS, SupersededError } from '@kindred/db/training-checkpoints';
import { findTrainingRuns, fixHyperparameters, setTrainingCompute } from '@kindred/db/training-runs';
import type { Checkpoint, Hyperparameters, TrainingCompute } from '@kindred/domain/training';
import { findUsableCheckpoint, storeCheckpoint } from '../checkpoints.ts';
import { startComputeThread } from '../compute-thread.ts';
import type { TrainModelInput } from '../contract.ts';
import { translateCoreError } from '../core-failures.ts';
import { requireMemory } from '../enough-memory.ts';
import { withHeartbeat } from '../heartbeat.ts';
import { loadRun } from '../load-run.ts';
import { recordEvent } from '../record-event.ts';
import { runFolder } from '../run-files.ts';
import { type ModelRef, storeModel } from '../store-model.ts';
import type { NextEpoch, TrainingThreadInput } from '../training-thread.ts';
import { beginPhase } from './begin-phase.ts';
import type { ActivityDeps } from './create-activities.ts';
import type { SnapshotRef } from '../write-snapshot.ts';

const TRAINING_THREAD = new URL('../training-thread.ts', import.meta.url);

/**
 * Trains until the epochs are done or validation has not improved for as many epochs as the run has patience. Every epoch
 * is stored, then told and made the one to go on from in one transaction: an attempt that takes over repeats only what was
 * under way, and fences off the one before it, which can neither tell nor store any more. One that is stopping ends with the best epoch so far, of which there is at least one.
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
  const { fence, checkpoints } = await withTenant(deps.db, input.tenantId, (tx) => claimTrainingRun(tx, input.runId));
  const usable = await findUsableCheckpoint(deps.objects, checkpoints);
  let kept = checkpoints.filter(({ epoch }) => usable !== null && epoch <= usable.checkpoint.epoch);
  if (usable !== null) {
    const body = { kind: 'LOG' as const, message: `Going on after epoch ${usable.checkpoint.epoch}` };
    await recordEvent(deps, { ...input, dedupeKey: `resumed:${fence}`, body });
  }
  return withHeartbeat(
    async (signal) => {
      const threadInput: TrainingThreadInput = {
        snapshotPath: await deps.objects.materialize(snapshot.key),
        checkpointPath: usable?.path ?? null,
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
          kept = await keepEpoch(deps, input, { ...next, epochs: hyperparameters.epochs, fence, kept });
        }
        next = await ask();
      }
      if (kept.length === 0) {
        throw new Error(`Wanted at least one of ${hyperparameters.epochs} epochs, got none.`);
      }
      return storeModel(deps.objects, input, { algorithm: 'LIGHTGCN', artefact: next.artefact });
    },
    () => kept[0],
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

interface FinishedEpoch extends Extract<NextEpoch, { kind: 'epoch' }> {
  epochs: number;
  fence: number;
  /** The checkpoints that the run's row names, newest first. */
  kept: readonly Checkpoint[];
}

/** @returns the checkpoints that are kept now. @throws SupersededError when another attempt has taken over. */
async function keepEpoch(
  deps: ActivityDeps,
  input: TrainModelInput,
  { report, durationMs, checkpoint: bytes, epochs, fence, kept }: FinishedEpoch,
): Promise<Checkpoint[]> {
  const { epoch, sampleCount, loss, ndcgAt10, recallAt10 } = report;
  const checkpoint = await storeCheckpoint(deps.objects, input, { epoch, bytes });
  const body = {
    kind: 'EPOCH_FINISHED' as const,
    epoch,
    epochs,
    loss,
    ndcgAt10,
    recallAt10,
    samplesPerSecond: (sampleCount * 1000) / Math.max(durationMs, 0.001),
    etaMs: (epochs - epoch) * durationMs,
  };
  try {
    await recordEvent(deps, { ...input, dedupeKey: `epoch:${epoch}`, body }, (tx) =>
      addCheckpoint(tx, { runId: input.runId, fence, checkpoint }),
    );
  } catch (error) {
    if (error instanceof SupersededError) await clearBehindEnd(deps, input);
    throw error;
  }
  const all = [checkpoint, ...kept];
  for (const { key } of all.slice(KEPT_CHECKPOINTS)) {
    await deps.objects.delete(key);
  }
  return all.slice(0, KEPT_CHECKPOINTS);
}

/** What an attempt wrote that came too late is in nobody's way while the run is open; behind its end nobody else clears it. */
async function clearBehindEnd({ db, objects }: ActivityDeps, input: TrainModelInput): Promise<void> {
  const [run] = await withTenant(db, input.tenantId, (tx) => findTrainingRuns(tx, [input.runId]));
  if (run === undefined || run.finishedAt !== null) await objects.delete(runFolder(input));
}
