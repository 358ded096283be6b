import { withIdempotencyKey } from '@kindred/db/idempotency';
import { upsertItems as writeItems, type NewItem } from '@kindred/db/items';
import { withTenant, type TenantTx } from '@kindred/db/tenants';
import type { ItemId } from '@kindred/domain/ids';
import { readItem } from '@kindred/domain/read-item';
import type { ReadRow } from '@kindred/domain/read-row';
import { textProblem } from '@kindred/domain/text';
import { requireTenant } from '@kindred/service/guards';
import type { CatalogContext } from './context.ts';
import type { UpsertItemsInput, UpsertItemsPayload } from './generated/resolvers.ts';
import { checkRowCount, judgeRows, reportRows } from './judge-rows.ts';
import { orPlanLimit } from './plan-limit.ts';

/** Creates and replaces items: those rows that are right, or none, as the error policy says. */
export async function upsertItems(context: CatalogContext, input: UpsertItemsInput): Promise<UpsertItemsPayload> {
  const { items, errorPolicy, idempotencyKey } = input;
  const inputErrors = [...checkRowCount('items', items.length), ...checkIdempotencyKey(idempotencyKey)];
  if (inputErrors.length > 0) return { writtenCount: 0, failedCount: items.length, userErrors: inputErrors };
  const { good, wrong } = judgeRows('items', items, refuseRepeats(readItem));
  const userErrors = reportRows(wrong);
  if (good.length === 0 || (errorPolicy === 'REJECT_EVERYTHING' && wrong.length > 0)) {
    return { writtenCount: 0, failedCount: items.length, userErrors };
  }
  let writtenIds: ItemId[] = [];
  const write = async (tx: TenantTx): Promise<UpsertItemsPayload> => {
    const rows = good.map(({ row }) => row);
    writtenIds = await context.planGuard.within(tx, 'items', () => writeItems(tx, rows));
    return { writtenCount: writtenIds.length, failedCount: wrong.length, userErrors };
  };
  const tenantId = requireTenant(context.viewer);
  const payload = await orPlanLimit('items', () =>
    withTenant(context.db, tenantId, (tx) =>
      typeof idempotencyKey === 'string'
        ? withIdempotencyKey(
            tx,
            { operation: 'upsertItems', key: idempotencyKey, request: { items, errorPolicy } },
            () => write(tx),
          )
        : write(tx),
    ),
  );
  if ('code' in payload) return { writtenCount: 0, failedCount: items.length, userErrors: [payload] };
  if (writtenIds.length > 0) await context.itemCache.forget(tenantId, writtenIds);
  return payload;
}

/** A row that repeats an earlier row's id is wrong: which of the two was meant is not known. */
function refuseRepeats<Input>(
  read: (input: Input) => ReadRow<NewItem>,
): (input: Input, position: number) => ReadRow<NewItem> {
  const positions = new Map<string, number>();
  return (input, position) => {
    const answer = read(input);
    if (!('row' in answer)) return answer;
    const { externalId } = answer.row;
    const first = positions.get(externalId);
    if (first !== undefined)
      return { field: 'externalId', problem: `must be in one row only, got "${externalId}" in row ${first} too` };
    positions.set(externalId, position);
    return answer;
  };
}

function checkIdempotencyKey(key: string | null | undefined): UpsertItemsPayload['userErrors'] {
  const problem = typeof key === 'string' ? textProblem(key, [1, 200]) : null;
  return problem === null ? [] : [{ code: 'INVALID', message: `idempotencyKey ${problem}.`, path: ['idempotencyKey'] }];
}
