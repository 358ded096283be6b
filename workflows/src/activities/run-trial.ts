import { isHopeless, type StoppingRule } from '@kindred/core/tune/stopping-rule';
import { withTenant } from '@kindred/db/tenants';
import { addTrialStep, claimTrial, endTrial, listTrials, type TrialAttempt } from '@kindred/db/tuning-trials';
import type { TuningId } from '@kindred/domain/ids';
import { ApplicationFailure } from '@temporalio/common';
import { startComputeThread } from '../compute-thread.ts';
import { translateCoreError } from '../core-failures.ts';
import { requireMemory } from '../enough-memory.ts';
import { withHeartbeat } from '../heartbeat.ts';
import { loadTuning, type TuningRow } from '../load-tuning.ts';
import { type JobRef, recordJobChange } from '../record-job.ts';
import type { NextEpochs, TrainingThreadInput } from '../training-thread.ts';
import type { ActivityDeps } from './create-activities.ts';

const TRAINING_THREAD = new URL('../training-thread.ts', import.meta.url);

/** Successive halving that decides at once (ASHA): a third of those that come to epochs 3, 9 and 27 goes on. */
const STOPPING_RULE: StoppingRule = { kind: 'halving', firstStep: 3, factor: 3 };

/** Which trial of a tuning, from 0. */
export interface TrialRef extends JobRef<TuningId> {
  trial: number;
}

/**
 * Trains one trial on the training interactions and measures each epoch on the validation interactions; the test interactions
 * are never read. A trial that is outside the best third is ended. An attempt that takes over begins the trial anew, and
 * fences off the one before it.
 */
export async function runTrial(deps: ActivityDeps, input: TrialRef): Promise<void> {
  const { tenantId, jobId: tuningId, trial: number } = input;
  const tuning = await loadTuning(deps.db, input);
  const claimed = await withTenant(deps.db, tenantId, (tx) => claimTrial(tx, { tuningId, number }));
  if (claimed === null) return;
  const attempt = { tuningId, number, fence: claimed.fence };
  const hyperparameters = { ...tuning.state.base, ...claimed.settings };
  try {
    requireMemory({ ...tuning.state, ...hyperparameters });
    const status = await train(deps, input, { tuning, attempt, hyperparameters });
    await withTenant(deps.db, tenantId, (tx) => endTrial(tx, { tuningId, number, status, failure: null }));
  } catch (error) {
    // It condemns these settings, not the tuning.
    const isOfTrial = error instanceof ApplicationFailure && OF_A_TRIAL.includes(error.type ?? '');
    if (!isOfTrial) throw error;
    const failure = error.message;
    await withTenant(deps.db, tenantId, (tx) => endTrial(tx, { tuningId, number, status: 'FAILED', failure }));
  }
}

const OF_A_TRIAL = ['TrainingDiverged', 'NotEnoughMemory'];

interface Training {
  tuning: TuningRow;
  attempt: TrialAttempt;
  hyperparameters: TrainingThreadInput['hyperparameters'];
}

async function train(
  deps: ActivityDeps,
  input: TrialRef,
  { tuning, attempt, hyperparameters }: Training,
): Promise<'DONE' | 'STOPPED'> {
  return withHeartbeat(async (signal) => {
    const snapshotPath = await deps.objects.materialize(tuning.state.snapshotKey ?? '');
    const threadInput: TrainingThreadInput = {
      snapshotPath,
      checkpointPath: null,
      hyperparameters,
      enoughEpochs: hyperparameters.epochs,
      // After each epoch it is decided whether there is another.
      keepEveryMs: 0,
      isSaved: false,
    };
    await using thread = startComputeThread<NextEpochs>(TRAINING_THREAD, threadInput, signal);
    const curve: number[] = [];
    while (curve.length < hyperparameters.epochs) {
      const next = await thread.ask().catch((error: unknown) => Promise.reject(translateCoreError(error)));
      if (next.kind === 'finished') break;
      if (next.kind === 'prepared') continue;
      for (const { ndcgAt10 } of next.epochs) {
        curve.push(ndcgAt10);
        const others = await keepStep(deps, input, { attempt, epoch: curve.length, ndcgAt10 });
        if (isHopeless(STOPPING_RULE, curve, others)) return 'STOPPED';
      }
    }
    return 'DONE';
  });
}

/** Stores and tells what an epoch gave. The curves of the other trials. @throws TrialSupersededError */
async function keepStep(
  deps: ActivityDeps,
  input: TrialRef,
  { attempt, epoch, ndcgAt10 }: { attempt: TrialAttempt; epoch: number; ndcgAt10: number },
): Promise<number[][]> {
  const { tuningId, number } = attempt;
  return recordJobChange(deps, input, async (tx) => {
    await addTrialStep(tx, attempt, ndcgAt10);
    const trials = await listTrials(tx, { tuningId, first: 1_000, afterNumber: -1 });
    const message = `Trial ${number}, epoch ${epoch}: validation NDCG@10 ${ndcgAt10.toFixed(4)}`;
    const body = { kind: 'PROGRESSED' as const, message, details: { trial: number, epoch, ndcgAt10 } };
    const others = trials.filter((trial) => trial.number !== number && trial.status !== 'FAILED');
    // An attempt that takes over repeats epochs that were told.
    return { result: others.map(({ curve }) => curve), event: { dedupeKey: `trial:${number}:epoch:${epoch}`, body } };
  });
}
