/** How an item moved between two answers: up or down by ranks, or new; null when it stayed or there was no answer before. */
export type RankChange = { kind: 'new' } | { kind: 'moved'; by: number } | null;

/** For each item of `after`, best first, how it moved from `before`, by item id. */
export function rankChanges(before: readonly string[] | null, after: readonly string[]): Map<string, RankChange> {
  const positions = new Map(before?.map((id, position) => [id, position]));
  return new Map(
    after.map((id, position): [string, RankChange] => {
      const previous = positions.get(id);
      if (before === null) return [id, null];
      if (previous === undefined) return [id, { kind: 'new' }];
      return [id, previous === position ? null : { kind: 'moved', by: previous - position }];
    }),
  );
}
