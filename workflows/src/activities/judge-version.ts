import { completeModelVersion } from '@kindred/db/model-versions';
import { withTenant } from '@kindred/db/tenants';
import { setQualityGate } from '@kindred/db/training-runs';
import type { TrainModelInput } from '../contract.ts';
import { judgeQuality } from '../judge-quality.ts';
import { loadRun } from '../load-run.ts';
import { recordEvent } from '../record-event.ts';
import { beginPhase } from './begin-phase.ts';
import type { VersionRef } from './build-index.ts';
import type { ActivityDeps } from './create-activities.ts';
import type { Evaluation } from './evaluate-model.ts';

/** What was found of a version: whether it may answer, and if not why, in a sentence. */
export interface Verdict {
  passed: boolean;
  reason: string;
}

/** Completes the version with its figures and judges it; the run keeps every condition with what it saw. */
export async function judgeVersion(
  deps: ActivityDeps,
  input: TrainModelInput & { version: VersionRef; evaluation: Evaluation },
): Promise<Verdict> {
  const { tenantId, runId, version, evaluation } = input;
  const { versionId, number, index, manifestKey: artefactKey } = version;
  await loadRun(deps.db, input);
  await beginPhase(deps, input, { phase: 'PROMOTE', message: `Judging version ${number}` });
  const gate = judgeQuality(evaluation, index);
  await withTenant(deps.db, tenantId, async (tx) => {
    const { metrics, baselines } = evaluation;
    await completeModelVersion(tx, { versionId, metrics, baselines, index, artefactKey });
    await setQualityGate(tx, { runId, gate });
  });
  for (const { name, passed, message } of gate.checks) {
    const body = { kind: 'LOG' as const, message: `Quality gate: ${message}${passed ? '' : ' That is not enough.'}` };
    await recordEvent(deps, { ...input, dedupeKey: `gate:${name}`, body });
  }
  const reasons = gate.checks.flatMap(({ passed, message }) => (passed ? [] : [message]));
  return { passed: gate.passed, reason: reasons.join(' ') };
}
