import { type CanaryEnding, type CanaryRow, countCanaries, endCanary, findCanaries } from '@kindred/db/canaries';
import { findActiveVersions, findServingVersion, promoteModelVersion } from '@kindred/db/model-versions';
import { type TenantTx, withTenant } from '@kindred/db/tenants';
import type { TrainModelInput } from '../contract.ts';
import { judgeCanary } from '../judge-canary.ts';
import { loadRun } from '../load-run.ts';
import { tellServing } from '../tell-serving.ts';
import type { VersionRef } from './build-index.ts';
import type { ActivityDeps } from './create-activities.ts';

const CONTROL_GONE = 'The version that it was compared with does not answer any more.';

/** Judges a version on trial, and promotes or retires it when there is something to tell; null while there is not. */
export async function watchCanary(
  deps: ActivityDeps,
  input: TrainModelInput & { version: VersionRef },
): Promise<CanaryEnding | null> {
  await loadRun(deps.db, input);
  const ending = await withTenant(deps.db, input.tenantId, async (tx) => {
    const [canary] = await findCanaries(tx, [input.version.versionId]);
    return canary?.status === 'RUNNING' ? judge(tx, input, canary) : endingOf(canary);
  });
  if (ending !== null) {
    await tellServing(deps, input.tenantId);
  }
  return ending;
}

async function judge(tx: TenantTx, { modelId }: TrainModelInput, canary: CanaryRow): Promise<CanaryEnding | null> {
  const { versionId, minimumAnswers } = canary;
  const [active] = await findActiveVersions(tx, [modelId]);
  const serving = await findServingVersion(tx);
  const counts = (await countCanaries(tx, [canary])).get(versionId);
  const ending =
    serving?.id === canary.controlId && counts !== undefined
      ? judgeCanary({ counts, minimumAnswers, isOver: canary.endsAt <= new Date() })
      : { status: 'ABORTED' as const, reason: CONTROL_GONE };
  // A person may have ended it in between: the next look tells.
  if (ending === null || !(await endCanary(tx, versionId, ending))) {
    return null;
  }
  if (ending.status === 'PROMOTED') {
    await promoteModelVersion(tx, { versionId, expectedActiveId: active?.id ?? null });
  }
  return ending;
}

function endingOf(canary: CanaryRow | undefined): CanaryEnding | null {
  if (canary === undefined) {
    return { status: 'ABORTED', reason: 'It is not on trial any more.' };
  }
  const { status, reason } = canary;
  return status === 'RUNNING' ? null : { status, reason: reason ?? '' };
}
