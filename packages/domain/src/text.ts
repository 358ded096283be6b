/** Whether PostgreSQL can hold this text as it is: no NUL, no half of a surrogate pair. */
export function isStorableText(text: string): boolean {
  return text.isWellFormed() && !text.includes('\0');
}

/** What is wrong with a text that must be `min`-`max` characters long, or null. */
export function textProblem(text: string, [min, max]: readonly [min: number, max: number]): string | null {
  const length = Array.from(text).length;
  if (length < min || length > max) return `must be ${min}-${max} characters, got ${length}`;
  if (!isStorableText(text)) return `must be well-formed text without NUL, got ${JSON.stringify(text)}`;
  return null;
}
