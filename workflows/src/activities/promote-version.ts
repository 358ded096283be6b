import { ActiveVersionChangedError, completeModelVersion, promoteModelVersion } from '@kindred/db/model-versions';
import { withTenant } from '@kindred/db/tenants';
import type { ModelVersionId } from '@kindred/domain/ids';
import type { TrainModelInput } from '../contract.ts';
import { loadRun } from '../load-run.ts';
import { recordEvent } from '../record-event.ts';
import { tellServing } from '../tell-serving.ts';
import { beginPhase } from './begin-phase.ts';
import type { VersionRef } from './build-index.ts';
import type { ActivityDeps } from './create-activities.ts';
import type { Evaluation } from './evaluate-model.ts';

/** Whether the version answers now. It does not where another one than it was judged against has come to answer. */
export interface Promotion {
  answers: boolean;
}

/**
 * Completes the version with its figures and makes it the one that answers, in one transaction with the word to serving, which
 * is then passed on.
 */
export async function promoteVersion(
  deps: ActivityDeps,
  input: TrainModelInput & {
    version: VersionRef;
    evaluation: Evaluation;
    expectedActiveId?: ModelVersionId | null | undefined;
  },
): Promise<Promotion> {
  const { tenantId, version, evaluation, expectedActiveId } = input;
  const { versionId, number, index, manifestKey: artefactKey } = version;
  const { metrics, baselines } = evaluation;
  const isInstant = version.algorithm === 'SPECTRAL';
  await loadRun(deps.db, input);
  if (!isInstant) {
    await beginPhase(deps, input, { phase: 'PROMOTE', message: `Promoting version ${number}` });
  }
  try {
    await withTenant(deps.db, tenantId, async (tx) => {
      await completeModelVersion(tx, { versionId, metrics, baselines, index, artefactKey });
      await promoteModelVersion(tx, { versionId, expectedActiveId });
    });
  } catch (error) {
    if (error instanceof ActiveVersionChangedError) {
      deps.logger.warn({ err: error, versionId }, 'A version was not promoted.');
      return { answers: false };
    }
    throw error;
  }
  await tellServing(deps, tenantId);
  if (isInstant) {
    const message = `Version ${number}, the instant first model, answers until the trained one does.`;
    await recordEvent(deps, { ...input, dedupeKey: 'instant-model', body: { kind: 'LOG', message } });
  }
  return { answers: true };
}
