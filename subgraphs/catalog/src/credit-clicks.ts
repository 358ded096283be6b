import { recordCanaryClicks } from '@kindred/db/canaries';
import { findItemsByExternalIds } from '@kindred/db/items';
import type { TenantTx } from '@kindred/db/tenants';
import { ATTRIBUTION_WINDOW_MS } from '@kindred/domain/canary';
import type { AttributedInteraction } from './read-attributed-interaction.ts';

/** A click and what is stronger. */
const CLICKS: ReadonlySet<AttributedInteraction['type']> = new Set(['CLICK', 'CART', 'PURCHASE']);

/** Credits the answers of canaries with what was done with their items, soon enough after. */
export async function creditClicks(
  tx: TenantTx,
  rows: readonly AttributedInteraction[],
  receivedAt: Date,
): Promise<void> {
  const clicks = rows.flatMap(({ type, itemExternalId, attribution }) => {
    const trial = attribution?.trial;
    if (!attribution || !trial || !CLICKS.has(type)) return [];
    const isLate = receivedAt.getTime() - attribution.issuedAt > ATTRIBUTION_WINDOW_MS;
    return isLate ? [] : [{ itemExternalId, attribution, trial }];
  });
  if (clicks.length === 0) return;
  const items = await findItemsByExternalIds(tx, [...new Set(clicks.map(({ itemExternalId }) => itemExternalId))]);
  const idOf = new Map(items.map(({ externalId, id }) => [externalId, id]));
  await recordCanaryClicks(
    tx,
    clicks.flatMap(({ itemExternalId, attribution, trial }) => {
      const itemId = idOf.get(itemExternalId);
      if (itemId === undefined || !attribution.hasItem(itemId)) return [];
      return [{ versionId: trial.id, recommendationId: attribution.recommendationId, arm: trial.arm }];
    }),
  );
}
