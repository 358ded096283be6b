/** What things cost: a price for each, in whole units of one currency. */
export interface PriceList {
  /** By ISO 4217. */
  currency: string;
  millionPoints: number;
  trainingCpuHour: number;
  millionItemsForAMonth: number;
  millionInteractionsForAMonth: number;
}

/**
 * Of a rented core at 0.05 an hour, and of replicated storage at 0.25 for a GB and month in which an interaction is taken to be
 * 0.4 KB with its indexes and an item 4 KB. A million points are 24,000 pages of 20 recommendations: 0.02 is what a core
 * costs that answers 17 of them a second, a small part of what it can. Whoever runs the platform sets other ones.
 */
export const DEFAULT_PRICES: PriceList = {
  currency: 'EUR',
  millionPoints: 0.02,
  trainingCpuHour: 0.05,
  millionItemsForAMonth: 1,
  millionInteractionsForAMonth: 0.1,
};

export interface PricedUse {
  points: number;
  trainingCpuSeconds: number;
  storedItems: number;
  storedInteractions: number;
}

/** What was used costs by these prices; what is stored counts for `monthShare` of a month, range 0-1. */
export function costOf(use: PricedUse, prices: PriceList, monthShare: number): number {
  const stored =
    (use.storedItems * prices.millionItemsForAMonth + use.storedInteractions * prices.millionInteractionsForAMonth) /
    1e6;
  return (
    (use.points * prices.millionPoints) / 1e6 +
    (use.trainingCpuSeconds * prices.trainingCpuHour) / 3600 +
    stored * monthShare
  );
}

/** How much of a month, given as `2026-11`, is over at `now`, range 0-1. */
export function shareOfMonth(month: string, now: Date): number {
  const [year = 0, number = 1] = month.split('-').map(Number);
  const [from, to] = [Date.UTC(year, number - 1), Date.UTC(year, number)];
  return Math.min(1, Math.max(0, (now.getTime() - from) / (to - from)));
}
