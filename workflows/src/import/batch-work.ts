import { importInteractions, type NewInteraction } from '@kindred/db/interactions';
import { findItemsByExternalIds, upsertItems } from '@kindred/db/items';
import { createPlanGuard } from '@kindred/db/plan-limits';
import type { TenantTx } from '@kindred/db/tenants';
import { ITEMS_CHANGED_TOPIC, writeItemsChanged } from '@kindred/domain/catalog-events';
import type { ImportRowError } from '@kindred/domain/imports';
import type { ActivityDeps } from '../activities/create-activities.ts';
import type { ImportRow } from '../load-import.ts';
import { type CheckedRow, checkInteraction, checkItem } from './check-row.ts';
import type { BatchOutcome, BatchWork } from './import-batches.ts';
import type { FileRow } from './read-rows.ts';

/** Finds what is wrong with the rows, and writes nothing. */
export const checkBatch: BatchWork = async (tx, rows, job) => {
  if (job.order.kind === 'ITEMS') {
    const { good, errors } = part(rows.map((row) => checkItem(row, job.order.errorPolicy)));
    return { ...NOTHING, failedCount: rows.length - good.length, errors };
  }
  const { good, errors } = partInteractions(rows, job);
  const known = await findKnownItems(tx, good);
  const unknown = [...good.keys()].filter((position) => !known.has(good[position]?.row.itemExternalId ?? ''));
  const failedCount = rows.length - good.length + unknown.length;
  return { ...NOTHING, failedCount, errors: withUnknown(errors, good, unknown) };
};

/** Writes the right rows, as far as the tenant's plan allows, and has those that keep rows in memory told of them. */
export function writeBatch(deps: ActivityDeps): BatchWork {
  const planGuard = createPlanGuard();
  return (tx, rows, job) =>
    job.order.kind === 'ITEMS'
      ? planGuard.within(tx, 'items', () => writeItems(deps, tx, { rows, job }))
      : planGuard.within(tx, 'interactions', () => writeInteractions(deps, tx, { rows, job }));
}

const NOTHING = { writtenCount: 0, duplicateCount: 0 };

interface Batch {
  rows: readonly FileRow[];
  job: ImportRow;
}

async function writeItems({ events, logger }: ActivityDeps, tx: TenantTx, { rows, job }: Batch): Promise<BatchOutcome> {
  const { good, errors } = part(rows.map((row) => checkItem(row, job.order.errorPolicy)));
  const ids = await upsertItems(
    tx,
    good.map(({ row }) => row),
  );
  const tell = async () => {
    await events.publish(ITEMS_CHANGED_TOPIC, writeItemsChanged(tx.tenantId, ids)).catch((err: unknown) => {
      logger.warn({ err }, 'A change of items was not told; servers may be a minute behind.');
    });
  };
  const duplicateCount = good.length - ids.length;
  return { writtenCount: ids.length, duplicateCount, failedCount: rows.length - good.length, errors, tell };
}

async function writeInteractions(
  { histories }: ActivityDeps,
  tx: TenantTx,
  { rows, job }: Batch,
): Promise<BatchOutcome> {
  const { tenantId } = tx;
  const { good, errors } = partInteractions(rows, job);
  const { recordedCount, duplicateCount, unknownItemPositions, userExternalIds } = await importInteractions(
    tx,
    good.map(({ row }) => row),
  );
  const tell = () => histories.forget(Array.from(userExternalIds, (userExternalId) => ({ tenantId, userExternalId })));
  return {
    writtenCount: recordedCount,
    duplicateCount,
    failedCount: rows.length - good.length + unknownItemPositions.length,
    errors: withUnknown(errors, good, unknownItemPositions),
    tell,
  };
}

interface GoodRow<Row> {
  line: number;
  row: Row;
}

function part<Row>(checked: readonly CheckedRow<Row>[]): { good: GoodRow<Row>[]; errors: ImportRowError[] } {
  const good = checked.flatMap(({ line, row }) => (row === null ? [] : [{ line, row }]));
  return { good, errors: checked.flatMap((row) => row.errors) };
}

/** A time left out is when the import was asked for: the same however often a batch is read. */
function partInteractions(rows: readonly FileRow[], { order, createdAt }: ImportRow) {
  return part(rows.map((row) => checkInteraction(row, order.errorPolicy, createdAt)));
}

async function findKnownItems(tx: TenantTx, good: readonly GoodRow<NewInteraction>[]): Promise<Set<string>> {
  const ids = new Set(good.map(({ row }) => row.itemExternalId));
  const items = await findItemsByExternalIds(tx, [...ids]);
  return new Set(items.map(({ externalId }) => externalId));
}

/** The errors with those of the rows at these positions, whose item the tenant does not have, in the order of the file. */
function withUnknown(
  errors: readonly ImportRowError[],
  good: readonly GoodRow<NewInteraction>[],
  positions: readonly number[],
): ImportRowError[] {
  const unknown = positions.flatMap((position): ImportRowError[] => {
    const found = good[position];
    if (found === undefined) return [];
    const message = `itemExternalId must be the externalId of an item, got "${found.row.itemExternalId}".`;
    return [{ line: found.line, field: 'itemExternalId', message }];
  });
  return [...errors, ...unknown].toSorted((left, right) => left.line - right.line);
}
