/** The ids that somebody wrote into a box, one on each line; null for none, which means all users. */
export function namedUsers(text: string): string[] | null {
  const ids = text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
  return ids.length === 0 ? null : [...new Set(ids)];
}
