import type { NewInteraction } from '@kindred/db/interactions';
import { findItemsByExternalIds } from '@kindred/db/items';
import type { TenantTx } from '@kindred/db/tenants';
import { MAX_REPORTED_ROWS, wrongRow, type WrongRow } from './judge-rows.ts';

/** The positions of the rows whose item the tenant does not have. */
export async function findUnknownItems(tx: TenantTx, rows: readonly NewInteraction[]): Promise<number[]> {
  const known = await findKnownIds(
    tx,
    rows.map((row) => row.itemExternalId),
  );
  return [...rows.entries()].filter(([, row]) => !known.has(row.itemExternalId)).map(([position]) => position);
}

/** The rows as wrong ones; each message names the tenant's item that was probably meant, where there is one. */
export async function refuseUnknownItems(
  tx: TenantTx,
  rows: readonly { position: number; row: NewInteraction }[],
): Promise<WrongRow[]> {
  // Only the reported rows are worth a look for what was meant.
  const reported = rows.slice(0, MAX_REPORTED_ROWS).map(({ row }) => row.itemExternalId);
  const known = await findKnownIds(tx, reported.flatMap(spellingsOf));
  return rows.map(({ position, row }) => {
    const near = spellingsOf(row.itemExternalId).find((spelling) => known.has(spelling));
    const hint = near === undefined ? '' : ` (did you mean "${near}"?)`;
    const problem = `must be the externalId of an item, got "${row.itemExternalId}"${hint}`;
    return wrongRow('NOT_FOUND', ['interactions', position, 'itemExternalId'], problem);
  });
}

/** What a sender may have meant: the id as other tools spell it (spaces, letter case, zeros, numbers read as floats). */
function spellingsOf(externalId: string): string[] {
  const trimmed = externalId.trim();
  const spellings = [
    trimmed,
    trimmed.toLowerCase(),
    trimmed.toUpperCase(),
    trimmed.replace(/\.0+$/, ''),
    trimmed.replace(/^0+(?=.)/, ''),
  ];
  return [...new Set(spellings)].filter((spelling) => spelling !== externalId);
}

async function findKnownIds(tx: TenantTx, externalIds: readonly string[]): Promise<Set<string>> {
  if (externalIds.length === 0) return new Set();
  const items = await findItemsByExternalIds(tx, [...new Set(externalIds)]);
  return new Set(items.map((item) => item.externalId));
}
