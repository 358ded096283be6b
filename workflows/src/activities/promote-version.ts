import { completeModelVersion, promoteModelVersion } from '@kindred/db/model-versions';
import { withTenant } from '@kindred/db/tenants';
import { promotionTopic } from '@kindred/domain/training';
import type { TrainModelInput } from '../contract.ts';
import { loadRun } from '../load-run.ts';
import { announce, recordEvent } from '../record-event.ts';
import { beginPhase } from './begin-phase.ts';
import type { VersionRef } from './build-index.ts';
import type { ActivityDeps } from './create-activities.ts';
import type { Evaluation } from './evaluate-model.ts';

/** Completes the version with its figures and makes it the one that answers, in one transaction; then tells serving. */
export async function promoteVersion(
  deps: ActivityDeps,
  input: TrainModelInput & { version: VersionRef; evaluation: Evaluation },
): Promise<void> {
  const { tenantId, version, evaluation } = input;
  const { versionId, number } = version;
  const isInstant = version.algorithm === 'SPECTRAL';
  await loadRun(deps.db, input);
  if (!isInstant) {
    await beginPhase(deps, input, { phase: 'PROMOTE', message: `Promoting version ${number}` });
  }
  await withTenant(deps.db, tenantId, async (tx) => {
    await completeModelVersion(tx, { versionId, ...evaluation, index: version.index });
    await promoteModelVersion(tx, { versionId });
  });
  await announce(deps, promotionTopic(tenantId), { versionId });
  if (isInstant) {
    const message = `Version ${number}, the instant first model, answers until the trained one does.`;
    await recordEvent(deps, { ...input, dedupeKey: 'instant-model', body: { kind: 'LOG', message } });
  }
}
