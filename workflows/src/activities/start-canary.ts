import { findCanaries, startCanary as putOnTrial } from '@kindred/db/canaries';
import { findActiveVersions, findServingVersion } from '@kindred/db/model-versions';
import { findModels } from '@kindred/db/models';
import { type TenantTx, withTenant } from '@kindred/db/tenants';
import type { ModelVersionId } from '@kindred/domain/ids';
import type { TrainModelInput } from '../contract.ts';
import { loadRun } from '../load-run.ts';
import { tellServing } from '../tell-serving.ts';
import { beginPhase } from './begin-phase.ts';
import type { VersionRef } from './build-index.ts';
import type { ActivityDeps } from './create-activities.ts';

/** Whether a version is on trial now, is to answer at once, or has to stay back and why. */
export type CanaryStart =
  | { kind: 'STARTED'; checkEveryMs: number }
  | { kind: 'NOT_WANTED' }
  | { kind: 'REFUSED'; reason: string };

type Begun = Exclude<CanaryStart, { kind: 'STARTED' }> | { kind: 'STARTED'; maximumMinutes: number; message: string };

/** Looks of a trial: a workflow's history has room for about four times as many. */
const MOST_LOOKS = 1_000;
const SHORTEST_PAUSE_MS = 2_000;

/**
 * Lets a share of the users be answered by the version, where the model's people want that and something answers already.
 * @param input.expectedActiveId the version that the quality gate compared with
 */
export async function startCanary(
  deps: ActivityDeps,
  input: TrainModelInput & { version: VersionRef; expectedActiveId: ModelVersionId | null },
): Promise<CanaryStart> {
  const { tenantId } = input;
  await loadRun(deps.db, input);
  const begun = await withTenant(deps.db, tenantId, (tx) => begin(tx, input));
  if (begun.kind !== 'STARTED') {
    return begun;
  }
  await tellServing(deps, tenantId);
  await beginPhase(deps, input, { phase: 'CANARY', message: begun.message });
  const checkEveryMs = Math.max(SHORTEST_PAUSE_MS, (begun.maximumMinutes * 60_000) / MOST_LOOKS);
  return { kind: 'STARTED', checkEveryMs };
}

async function begin(tx: TenantTx, input: Parameters<typeof startCanary>[1]): Promise<Begun> {
  const { modelId, version, expectedActiveId } = input;
  const { versionId, number } = version;
  const [model] = await findModels(tx, [modelId]);
  const settings = model?.canary ?? null;
  const control = await findServingVersion(tx);
  const [known] = await findCanaries(tx, [versionId]);
  if (known === undefined && (settings === null || control === null)) {
    return { kind: 'NOT_WANTED' };
  }
  const [active] = await findActiveVersions(tx, [modelId]);
  if (known === undefined && (active?.id ?? null) !== expectedActiveId) {
    return {
      kind: 'REFUSED',
      reason: 'another version than the one it was judged against has come to answer meanwhile.',
    };
  }
  const canary =
    known ?? (settings && control && (await putOnTrial(tx, { versionId, controlId: control.id, settings })));
  if (canary === null) {
    return { kind: 'REFUSED', reason: 'another version is being tried out with the users.' };
  }
  const maximumMinutes = (canary.endsAt.getTime() - canary.startedAt.getTime()) / 60_000;
  const others =
    control === null ? 'the others are answered as before' : `the others stay with version ${control.number}`;
  const time = `${maximumMinutes.toLocaleString('en')} minutes`;
  const message = `Version ${number} answers ${canary.sharePercent} % of the users for at most ${time}; ${others}`;
  return { kind: 'STARTED', maximumMinutes, message };
}
