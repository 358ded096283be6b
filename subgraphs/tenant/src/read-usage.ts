import { readStored } from '@kindred/db/plan-limits';
import { withTenant } from '@kindred/db/tenants';
import { listUsageDays, type UsageOfDay } from '@kindred/db/usage';
import { AppError } from '@kindred/domain/app-error';
import { requireTenant } from '@kindred/service/guards';
import type { TenantContext } from './context.ts';
import type { Money, Usage } from './generated/resolvers.ts';
import { costOf, type PriceList, shareOfMonth } from './usage-cost.ts';

const MONTH = /^20\d\d-(0[1-9]|1[0-2])$/;

/** What the viewer's tenant used in a month. @throws AppError BAD_USER_INPUT when it is none */
export async function readUsage(
  { db, viewer, prices }: TenantContext,
  wanted: string | null | undefined,
): Promise<Usage> {
  const now = new Date();
  const month = wanted ?? now.toISOString().slice(0, 7);
  if (!MONTH.test(month)) throw new AppError('BAD_USER_INPUT', `month must be like 2026-11, got "${month}".`);
  const { days, counts } = await withTenant(db, requireTenant(viewer), async (tx) => ({
    days: await listUsageDays(tx, month),
    counts: (await readStored(tx)).counts,
  }));
  const total = (of: (day: UsageOfDay) => number) => days.reduce((sum, day) => sum + of(day), 0);
  const use = {
    points: total(({ points }) => points),
    trainingCpuSeconds: total(({ trainingCpuMs }) => trainingCpuMs) / 1000,
    storedItems: counts.items,
    storedInteractions: counts.interactions,
  };
  const recommendations = total((day) => day.recommendations);
  const cost = costOf(use, prices, shareOfMonth(month, now));
  const money = (amount: number): Money => ({ amount, currency: prices.currency });
  return {
    month,
    ...use,
    requests: total(({ requests }) => requests),
    recommendations,
    interactions: total(({ interactions }) => interactions),
    trainings: total(({ trainings }) => trainings),
    cost: money(cost),
    costPerThousand: recommendations === 0 ? null : money((cost / recommendations) * 1000),
    unitPrices: showPrices(prices, money),
    days,
  };
}

function showPrices(prices: PriceList, money: (amount: number) => Money): Usage['unitPrices'] {
  return {
    millionPoints: money(prices.millionPoints),
    trainingCpuHour: money(prices.trainingCpuHour),
    millionItemsForAMonth: money(prices.millionItemsForAMonth),
    millionInteractionsForAMonth: money(prices.millionInteractionsForAMonth),
  };
}
