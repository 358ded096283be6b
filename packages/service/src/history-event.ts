/** One interaction as recommendations look at it; times are epoch milliseconds. */
export interface HistoryEvent {
  itemId: string;
  occurredAt: number;
  recordedAt: number;
}

/** Stands in a list of nothing, which Redis does not keep. */
export const NO_EVENTS = '-';

export function writeEvent({ itemId, occurredAt, recordedAt }: HistoryEvent): string {
  return `${itemId}:${occurredAt}:${recordedAt}`;
}

/** The newest first, each item once, with its last interaction. */
export function readEvents(rows: readonly string[]): HistoryEvent[] {
  const events: HistoryEvent[] = [];
  for (const row of rows) {
    const [itemId, occurredAt, recordedAt] = row.split(':');
    if (itemId === undefined || itemId === NO_EVENTS) continue;
    events.push({ itemId, occurredAt: Number(occurredAt), recordedAt: Number(recordedAt) });
  }
  // Interactions may be told late: a list is in the order in which they were recorded.
  events.sort((left, right) => right.occurredAt - left.occurredAt);
  const known = new Set<string>();
  return events.filter(({ itemId }) => !known.has(itemId) && known.add(itemId));
}
