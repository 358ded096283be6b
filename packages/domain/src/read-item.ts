import type { ReadRow } from './read-row.ts';
import { textProblem } from './text.ts';

const MAX_CATEGORIES = 50;
const MAX_PROPERTIES_BYTES = 32 * 1024;
const MAX_PROPERTIES_DEPTH = 16;

/** An item as its sender writes it. */
export interface ItemDraft {
  externalId: string;
  title: string;
  categories: readonly string[];
  properties?: Record<string, unknown> | null | undefined;
}

/** An item that may be written. */
export interface CheckedItem {
  externalId: string;
  title: string;
  categories: string[];
  properties: Record<string, unknown>;
}

/** The item to write, or the first thing that is wrong with the input. */
export function readItem(input: ItemDraft): ReadRow<CheckedItem> {
  const { externalId, title, categories } = input;
  const properties = input.properties ?? {};
  const problems: [field: string, problem: string | null][] = [
    ['externalId', textProblem(externalId, [1, 200])],
    ['title', textProblem(title, [1, 500])],
    ['categories', categoriesProblem(categories)],
    ['properties', propertiesProblem(properties)],
  ];
  for (const [field, problem] of problems) if (problem !== null) return { field, problem };
  return { row: { externalId, title, categories: [...new Set(categories)], properties } };
}

function categoriesProblem(categories: readonly string[]): string | null {
  if (categories.length > MAX_CATEGORIES) return `must be at most ${MAX_CATEGORIES}, got ${categories.length}`;
  for (const [position, category] of categories.entries()) {
    const problem = textProblem(category, [1, 100]);
    if (problem !== null) return `at position ${position} ${problem}`;
  }
  return null;
}

function propertiesProblem(properties: Record<string, unknown>): string | null {
  if (isDeeperThan(properties, MAX_PROPERTIES_DEPTH)) {
    return `must be nested at most ${MAX_PROPERTIES_DEPTH} levels deep, got more`;
  }
  const json = JSON.stringify(properties);
  const sizeBytes = Buffer.byteLength(json);
  if (sizeBytes > MAX_PROPERTIES_BYTES)
    return `must be at most ${MAX_PROPERTIES_BYTES} bytes as JSON, got ${sizeBytes}`;
  // JSON.stringify escapes exactly what jsonb refuses: NUL and halves of surrogate pairs.
  const refused = /(?<!\\)(?:\\\\)*(\\u(?:0000|d[89a-f][0-9a-f]{2}))/.exec(json)?.[1];
  return refused === undefined ? null : `must be well-formed text without NUL, got ${refused}`;
}

function isDeeperThan(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return levels === 0 || Object.values(value).some((inner) => isDeeperThan(inner, levels - 1));
}
