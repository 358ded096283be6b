import { createHash } from 'node:crypto';
import { createSnapshotBuilder, encodeSnapshot, type Snapshot, type SnapshotBuilder } from '@kindred/core/snapshot';
import { exportInteractions } from '@kindred/db/interaction-export';
import type { TenantId } from '@kindred/domain/ids';
import type { ActivityDeps } from './activities/create-activities.ts';
import { translateCoreError } from './core-failures.ts';
import { requireEnoughData, requireHeldOut } from './enough-data.ts';
import { withHeartbeat } from './heartbeat.ts';
import { splitSnapshot } from './split-snapshot.ts';

/** Points at a tenant's interactions as they were at one moment. */
export interface SnapshotRef {
  key: string;
  userCount: number;
  itemCount: number;
  interactionCount: number;
  /** How many of the interactions are trained on. */
  trainingCount: number;
}

/**
 * Writes all interactions of the tenant, read in one database snapshot, to one columnar file under the key for its sha256.
 * @throws NotEnoughData when there are too few, or one that cannot be learned from.
 */
export async function writeSnapshot(
  deps: ActivityDeps,
  tenantId: TenantId,
  keyOf: (sha256: string) => string,
): Promise<SnapshotRef> {
  return withHeartbeat(async (signal) => {
    const builder = createSnapshotBuilder();
    for await (const rows of exportInteractions(deps.db, tenantId)) {
      signal.throwIfAborted();
      builder.add(rows);
    }
    const snapshot = build(builder);
    const { userCount, itemCount, userRows } = snapshot.matrix;
    const counts = { userCount, itemCount, interactionCount: userRows.length };
    requireEnoughData(counts);
    const { train, validation, test } = splitSnapshot(snapshot.matrix);
    requireHeldOut(Math.min(validation.userRows.length, test.userRows.length));
    const bytes = encodeSnapshot(snapshot);
    const key = keyOf(createHash('sha256').update(bytes).digest('hex'));
    await deps.objects.put(key, bytes);
    return { key, ...counts, trainingCount: train.userRows.length };
  });
}

/** Another attempt would read the same rows: what is wrong with them ends the run. */
function build(builder: SnapshotBuilder): Snapshot {
  try {
    return builder.build();
  } catch (error) {
    throw translateCoreError(error);
  }
}
