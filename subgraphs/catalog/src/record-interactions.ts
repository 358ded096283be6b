import {
  recordInteractions as writeInteractions,
  type NewInteraction,
  type RecordedInteraction,
  type RecordedInteractions,
} from '@kindred/db/interactions';
import { withTenant, type TenantTx } from '@kindred/db/tenants';
import { AppError } from '@kindred/domain/app-error';
import type { TenantId } from '@kindred/domain/ids';
import { requireTenant } from '@kindred/service/guards';
import type { CatalogContext } from './context.ts';
import type { RecordInteractionsInput, RecordInteractionsPayload } from './generated/resolvers.ts';
import { creditClicks } from './credit-clicks.ts';
import { checkRowCount, judgeRows, reportRows } from './judge-rows.ts';
import { orPlanLimit } from './plan-limit.ts';
import { readAttributedInteraction } from './read-attributed-interaction.ts';
import { findUnknownItems, refuseUnknownItems } from './unknown-items.ts';

/** Records what end users did: those rows that are right, or none, as the error policy says. */
export async function recordInteractions(
  context: CatalogContext,
  input: RecordInteractionsInput,
): Promise<RecordInteractionsPayload> {
  const { interactions, errorPolicy } = input;
  const rejectsAll = errorPolicy === 'REJECT_EVERYTHING';
  const sentCount = interactions.length;
  const inputErrors = checkRowCount('interactions', sentCount);
  if (inputErrors.length > 0)
    return { recordedCount: 0, duplicateCount: 0, failedCount: sentCount, userErrors: inputErrors };
  const tenantId = requireTenant(context.viewer);
  const received = { tenantId, receivedAt: new Date(), attributionSecret: context.attributionSecret };
  const { good, wrong } = judgeRows('interactions', interactions, (row) => readAttributedInteraction(row, received));
  const rows = good.map(({ row }) => row);
  const write = async (tx: TenantTx) => {
    const written = await context.planGuard.within(tx, 'interactions', () =>
      rejectsAll ? writeAllOrNone(tx, rows, wrong.length === 0) : writeInteractions(tx, rows),
    );
    const { recordedCount, duplicateCount, unknownItemPositions } = written;
    const unknown = await refuseUnknownItems(
      tx,
      unknownItemPositions.flatMap((index) => good[index] ?? []),
    );
    if (recordedCount > 0) await creditClicks(tx, rows, received.receivedAt);
    const failed = [...wrong, ...unknown];
    const failedCount = rejectsAll && failed.length > 0 ? sentCount : failed.length;
    return { recorded: written.recorded, recordedCount, duplicateCount, failedCount, userErrors: reportRows(failed) };
  };
  const answer = await orPlanLimit('interactions', () => withTenant(context.db, tenantId, write));
  if ('code' in answer) return { recordedCount: 0, duplicateCount: 0, failedCount: sentCount, userErrors: [answer] };
  const { recorded, ...payload } = answer;
  // Before the answer: whoever has it sees the interactions in the next recommendation.
  await context.histories.add(recorded.map((row) => toHistoryEvent(tenantId, row)));
  return payload;
}

function toHistoryEvent(tenantId: TenantId, { occurredAt, recordedAt, ...row }: RecordedInteraction) {
  return { tenantId, ...row, occurredAt: occurredAt.getTime(), recordedAt: recordedAt.getTime() };
}

async function writeAllOrNone(tx: TenantTx, rows: NewInteraction[], allRight: boolean): Promise<RecordedInteractions> {
  const unknownItemPositions = await findUnknownItems(tx, rows);
  if (!allRight || unknownItemPositions.length > 0)
    return { recordedCount: 0, recorded: [], duplicateCount: 0, unknownItemPositions };
  const written = await writeInteractions(tx, rows);
  if (written.unknownItemPositions.length > 0) {
    const count = written.unknownItemPositions.length;
    throw new AppError(
      'CONFLICT',
      `${count} of the items were deleted while their interactions were written: nothing was recorded.`,
    );
  }
  return written;
}
