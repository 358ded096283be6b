import type { TrainModelInput } from '../contract.ts';
import { snapshotKey } from '../run-files.ts';
import { type SnapshotRef, writeSnapshot } from '../write-snapshot.ts';
import { beginPhase } from './begin-phase.ts';
import type { ActivityDeps } from './create-activities.ts';

/** Writes all interactions of the tenant, read in one database snapshot, to one columnar file. */
export async function exportSnapshot(deps: ActivityDeps, input: TrainModelInput): Promise<SnapshotRef> {
  await beginPhase(deps, input, { phase: 'SNAPSHOT', message: 'Exporting the interactions' });
  return writeSnapshot(deps, input.tenantId, (sha256) => snapshotKey(input, sha256));
}
