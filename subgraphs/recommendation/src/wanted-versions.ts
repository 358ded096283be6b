import { findRunningCanary } from '@kindred/db/canaries';
import { findModelVersions, findServingVersion, type ModelVersionRow } from '@kindred/db/model-versions';
import type { TenantTx } from '@kindred/db/tenants';
import { findTrainingRuns } from '@kindred/db/training-runs';
import type { ModelVersionId } from '@kindred/domain/ids';
import type { HeldTrial, HeldVersion } from './held-version.ts';
import type { VersionRecord } from './load-version.ts';

/** What the database says of a trial. */
export interface WantedTrial extends Omit<HeldTrial, 'held'> {
  record: VersionRecord;
}

/** What the database says of the versions that a tenant is answered with. */
export interface WantedVersions {
  serving: VersionRecord | null;
  /** Of the version asked for; null when it is gone. */
  previous: VersionRecord | null;
  trial: WantedTrial | null;
}

export async function findWantedVersions(
  tx: TenantTx,
  previousId: ModelVersionId | undefined,
): Promise<WantedVersions> {
  const version = await findServingVersion(tx);
  const [previous] = previousId === undefined ? [] : await findModelVersions(tx, [previousId]);
  return {
    serving: version && (await readRecord(tx, version)),
    previous: previous ? await readRecord(tx, previous) : null,
    trial: await findWantedTrial(tx),
  };
}

async function findWantedTrial(tx: TenantTx): Promise<WantedTrial | null> {
  const canary = await findRunningCanary(tx);
  if (canary === null) return null;
  const { versionId: id, controlId, sharePercent } = canary;
  const [version] = await findModelVersions(tx, [id]);
  return version ? { id, controlId, sharePercent, record: await readRecord(tx, version) } : null;
}

/** Whether a version in memory is of exactly these files. */
export function isOf(held: HeldVersion | null, record: VersionRecord | null): boolean {
  return held?.version.id === record?.id && held?.version.artefactKey === record?.artefactKey;
}

async function readRecord(
  tx: TenantTx,
  { id, runId, artefactKey, createdAt }: ModelVersionRow,
): Promise<VersionRecord> {
  const [run] = await findTrainingRuns(tx, [runId]);
  return { tenantId: tx.tenantId, id, artefactKey, trainedAt: run?.startedAt ?? run?.createdAt ?? createdAt };
}
