import { decodeArtefact } from '@kindred/core/artefact';
import { mapFile } from '@kindred/core/map-file';
import { decodeSnapshot } from '@kindred/core/snapshot';
import { listWholeVersions } from '@kindred/db/model-versions';
import { withTenant } from '@kindred/db/tenants';
import { listTrainingRuns } from '@kindred/db/training-runs';
import { listUserRows, USER_TABLES, type UserTable } from '@kindred/db/user-data';
import { findUsers, type UserRow } from '@kindred/db/users';
import type { TenantId, UserId } from '@kindred/domain/ids';
import { decodeVersionManifest } from '@kindred/domain/version-manifest';
import { readHistoryKeys } from '@kindred/service/erased-histories';
import { ObjectNotFoundError } from '@kindred/service/object-key';
import type { ActivityDeps } from './activities/create-activities.ts';
import { readBatches } from './batch/read-batches.ts';
import { runFolder } from './run-files.ts';

/** A part of a copy: what one kind of store keeps of a user, one JSON text per line. */
export interface GatheredFile {
  name: string;
  lines: string[];
}

/** Open trainings of a tenant are few. */
const MOST_RUNS = 100;

/** Everything that is kept of a user, store by store; null when the tenant does not have the user any more. */
export async function gatherUserData(
  deps: ActivityDeps,
  { tenantId, userId }: { tenantId: TenantId; userId: UserId },
): Promise<{ user: UserRow; files: GatheredFile[] } | null> {
  const [user] = await withTenant(deps.db, tenantId, (tx) => findUsers(tx, [userId]));
  if (user === undefined) {
    return null;
  }
  const files: GatheredFile[] = [];
  for (const table of Object.keys(USER_TABLES) as UserTable[]) {
    files.push({ name: `postgres/${table}.jsonl`, lines: await readTable(deps, user, table) });
  }
  const history = await readHistoryKeys(deps.redis, { tenantId, userExternalId: user.externalId });
  files.push({ name: 'redis/history.jsonl', lines: history.map((key) => JSON.stringify(key)) });
  files.push({ name: 'versions/vectors.jsonl', lines: await readVectors(deps, user) });
  files.push({ name: 'runs/snapshots.jsonl', lines: await readSnapshots(deps, user) });
  files.push({ name: 'jobs/recommendations.jsonl', lines: await readBatches(deps, user) });
  return { user, files };
}

async function readTable({ db }: ActivityDeps, { tenantId, id }: UserRow, table: UserTable): Promise<string[]> {
  const lines: string[] = [];
  let afterId: string | undefined;
  while (true) {
    const rows = await withTenant(db, tenantId, (tx) => listUserRows(tx, table, { userId: id, afterId }));
    if (rows.length === 0) {
      return lines;
    }
    lines.push(...rows.map(({ json }) => json));
    afterId = rows.at(-1)?.id;
  }
}

/** The vector that each version has of the user: what serving holds in memory are these files. */
async function readVectors({ db, objects }: ActivityDeps, { tenantId, id }: UserRow): Promise<string[]> {
  const lines: string[] = [];
  for (const version of await withTenant(db, tenantId, listWholeVersions)) {
    const { id: versionId, modelId, number, status, artefactKey } = version;
    const manifest = decodeVersionManifest(await objects.get(artefactKey), { tenantId, versionId });
    const path = await objects.materialize(manifest.artefact.key);
    const { users, userIds, dimension } = decodeArtefact(await mapFile(path));
    const row = userIds.indexOf(id);
    if (row >= 0) {
      const vector = [...users.subarray(row * dimension, (row + 1) * dimension)];
      lines.push(JSON.stringify({ versionId, modelId, number, status, vector }));
    }
  }
  return lines;
}

/** What the snapshots of trainings under way hold of the user, and the checkpoints that have the user's row. */
async function readSnapshots({ db, objects }: ActivityDeps, { tenantId, id }: UserRow): Promise<string[]> {
  const runs = await withTenant(db, tenantId, (tx) => listTrainingRuns(tx, { first: MOST_RUNS }));
  const lines: string[] = [];
  for (const { id: runId } of runs.filter(({ finishedAt }) => finishedAt === null)) {
    const keys = await objects.list(runFolder({ tenantId, runId }));
    const checkpoints = keys.filter((key) => key.includes('/checkpoints/'));
    for (const key of keys.filter((candidate) => candidate.includes('/snapshots/'))) {
      const bytes = await objects.get(key).catch((error: unknown) => {
        // The training has ended since, and its snapshot with it.
        if (error instanceof ObjectNotFoundError) return null;
        throw error;
      });
      const { matrix, userIds, itemIds } = bytes === null ? EMPTY : decodeSnapshot(bytes);
      const userRow = userIds.indexOf(id);
      const positions = [...matrix.userRows.keys()].filter((position) => matrix.userRows[position] === userRow);
      const interactions = positions.map((position) => ({
        itemId: itemIds[matrix.itemRows[position] ?? -1],
        weight: matrix.weights[position],
        occurredAt: matrix.timestamps[position],
      }));
      if (userRow >= 0) lines.push(JSON.stringify({ runId, key, userRow, interactions, checkpoints }));
    }
  }
  return lines;
}

const EMPTY = {
  matrix: {
    userRows: new Int32Array(0),
    itemRows: new Int32Array(0),
    weights: new Float32Array(0),
    timestamps: new Float64Array(0),
  },
  userIds: [] as readonly string[],
  itemIds: [] as readonly string[],
};
