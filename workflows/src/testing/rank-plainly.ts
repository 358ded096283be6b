import { decodeArtefact } from '@kindred/core/artefact';
import { listUserItems } from '@kindred/db/interactions';
import { findItems } from '@kindred/db/items';
import { findModelVersions } from '@kindred/db/model-versions';
import { withTenant } from '@kindred/db/tenants';
import type { ItemId, ModelVersionId } from '@kindred/domain/ids';
import { decodeVersionManifest } from '@kindred/domain/version-manifest';
import type { createTrainedTenant } from './batch-world.ts';
import type { TrainingWorld } from './training-world.ts';

/** What plain multiplication says, item by item. */
export async function rankPlainly(
  { deps: { db, objects } }: TrainingWorld,
  { tenantId, users }: Awaited<ReturnType<typeof createTrainedTenant>>,
  { order: { versionId } }: { order: { versionId: ModelVersionId } },
): Promise<Map<string, string[]>> {
  const [version] = await withTenant(db, tenantId, (tx) => findModelVersions(tx, [versionId]));
  const manifest = decodeVersionManifest(await objects.get(version?.artefactKey ?? ''), { tenantId, versionId });
  const artefact = decodeArtefact(await objects.get(manifest.artefact.key));
  const { dimension, itemIds, userIds } = artefact;
  const lists = new Map<string, string[]>();
  await withTenant(db, tenantId, async (tx) => {
    const names = new Map((await findItems(tx, itemIds as ItemId[])).map((item) => [item.id as string, item]));
    for (const { id, externalId } of users) {
      const seen = (await listUserItems(tx, id, { limit: 1_000 })).map(({ itemId }) => itemId as string);
      const at = userIds.indexOf(id) * dimension;
      const scored = itemIds.map((itemId, item) => {
        const vector = artefact.items.subarray(item * dimension, (item + 1) * dimension);
        return { itemId, score: vector.reduce((sum, value, i) => sum + value * (artefact.users[at + i] ?? 0), 0) };
      });
      const best = scored.filter(({ itemId }) => !seen.includes(itemId)).toSorted((a, b) => b.score - a.score);
      lists.set(
        externalId,
        best.slice(0, 5).map(({ itemId }) => names.get(itemId)?.externalId ?? ''),
      );
    }
  });
  return lists;
}
