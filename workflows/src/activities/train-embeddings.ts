import { resolveHyperparameters } from '@kindred/core/lightgcn/hyperparameters';
import type { Db } from '@kindred/db/client';
import { withTenant } from '@kindred/db/tenants';
import { claimTrainingRun } from '@kindred/db/training-checkpoints';
import { findLastEpoch } from '@kindred/db/training-events';
import { fixHyperparameters, setTrainingCompute } from '@kindred/db/training-runs';
import type { Checkpoint, Hyperparameters, TrainingCompute } from '@kindred/domain/training';
import { findUsableCheckpoint } from '../checkpoints.ts';
import { type ComputeThread, startComputeThread } from '../compute-thread.ts';
import type { TrainModelInput } from '../contract.ts';
import { translateCoreError } from '../core-failures.ts';
import { requireMemory } from '../enough-memory.ts';
import { withHeartbeat } from '../heartbeat.ts';
import { keepEpochs } from '../keep-epochs.ts';
import { loadRun } from '../load-run.ts';
import { recordEvent } from '../record-event.ts';
import { type ModelRef, storeModel } from '../store-model.ts';
import type { NextEpochs, SavedTraining, TrainingThreadInput } from '../training-thread.ts';
import { beginPhase } from './begin-phase.ts';
import type { ActivityDeps } from './create-activities.ts';
import type { SnapshotRef } from '../write-snapshot.ts';

const TRAINING_THREAD = new URL('../training-thread.ts', import.meta.url);

/**
 * Short epochs are told and saved together, as often as this: what is told becomes a subscriber's within half a second, and
 * keeping epochs of a tenth of a second one by one takes a third as long as computing them.
 */
const KEEP_EVERY_MS = 300;

/** An epoch that takes as long is kept before another begins. */
const LONG_EPOCH_MS = 1_000;

/**
 * Trains until the epochs are done or validation has not improved for as many epochs as the run has patience. An attempt that
 * takes over goes on behind what was told, repeating the epoch that was under way or the short ones that were not told yet. It
 * fences off the one before it, which can neither tell nor store any more. One that is stopping ends with the best epoch of
 * those that were told, of which there is at least one.
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
  const { fence, checkpoints, toldEpoch } = await claimRun(deps.db, input);
  const usable = await findUsableCheckpoint(deps.objects, checkpoints);
  const attempt: Attempt = {
    fence,
    epochCount: hyperparameters.epochs,
    kept: checkpoints.filter(({ epoch }) => usable !== null && epoch <= usable.checkpoint.epoch),
  };
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
        enoughEpochs: isStopping ? toldEpoch : hyperparameters.epochs,
        keepEveryMs: KEEP_EVERY_MS,
        isSaved: true,
      };
      await using thread = startComputeThread<NextEpochs>(TRAINING_THREAD, threadInput, signal);
      const artefact = await followThread(deps, input, { thread, attempt });
      if (attempt.kept.length === 0) {
        throw new Error(`Wanted at least one of ${hyperparameters.epochs} epochs, got none.`);
      }
      return storeModel(deps.objects, input, { algorithm: 'LIGHTGCN', artefact });
    },
    () => attempt.kept[0],
  );
}

/** An attempt at a run, and the checkpoints that it has been the last to name. */
interface Attempt {
  readonly fence: number;
  readonly epochCount: number;
  kept: readonly Checkpoint[];
}

async function claimRun(db: Db, { tenantId, runId }: TrainModelInput) {
  return withTenant(db, tenantId, async (tx) => {
    const claimed = await claimTrainingRun(tx, runId);
    return { ...claimed, toldEpoch: await findLastEpoch(tx, runId) };
  });
}

/** Keeps what the thread computes. @returns the model of the best epoch. */
async function followThread(
  deps: ActivityDeps,
  input: TrainModelInput,
  { thread, attempt }: { thread: ComputeThread<NextEpochs>; attempt: Attempt },
): Promise<Uint8Array> {
  const ask = () => thread.ask().catch((error: unknown) => Promise.reject(translateCoreError(error)));
  let next = await ask();
  while (next.kind !== 'finished') {
    let ahead: ReturnType<typeof ask> | null = null;
    if (next.kind === 'prepared') {
      await announceCompute(deps, input, next.compute);
    } else {
      // While a long epoch is not kept, no other begins: of those at most one is repeated.
      const isShort = next.epochs.every(({ durationMs }) => durationMs < LONG_EPOCH_MS);
      ahead = isShort ? ask() : null;
      ahead?.catch(() => undefined);
      attempt.kept = await keepEpochs(deps, input, { ...next, saved: requireSaved(next.saved), ...attempt });
    }
    next = await (ahead ?? ask());
  }
  return next.artefact;
}

function requireSaved(saved: SavedTraining | null): SavedTraining {
  if (saved === null) throw new Error('Wanted epochs with the training behind them, got epochs alone.');
  return saved;
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
