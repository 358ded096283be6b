import type { ImportErrorPolicy, ImportKind, ImportRowError } from '@kindred/domain/imports';
import {
  type CheckedInteraction,
  INTERACTION_TYPES,
  type InteractionDraft,
  readInteraction,
} from '@kindred/domain/read-interaction';
import { type CheckedItem, type ItemDraft, readItem } from '@kindred/domain/read-item';
import type { ReadRow } from '@kindred/domain/read-row';
import { FIELDS } from './fields.ts';
import type { FileRow } from './read-rows.ts';

interface Shape {
  wanted: string;
  fits: (value: unknown) => boolean;
}

const TEXT: Shape = { wanted: 'text', fits: (value) => typeof value === 'string' };
const SHAPES: Record<string, Shape> = {
  categories: {
    wanted: 'a list of text',
    fits: (value) => Array.isArray(value) && value.every((one) => typeof one === 'string'),
  },
  properties: {
    wanted: 'a JSON object',
    fits: (value) => typeof value === 'object' && value !== null && !Array.isArray(value),
  },
  value: { wanted: 'a number', fits: (value) => typeof value === 'number' && Number.isFinite(value) },
  type: {
    wanted: `one of ${INTERACTION_TYPES.join(', ')}`,
    fits: (value) => INTERACTION_TYPES.some((type) => type === value),
  },
  occurredAt: { wanted: 'a time such as 2026-11-23T17:00:00Z', fits: (value) => isTime(value) },
};

/** RFC 3339. */
const TIME = /^\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d{1,9})?([Zz]|[+-]\d\d:\d\d)$/;

/** A row that may be written, null where it may not, and what is wrong with it. */
export interface CheckedRow<Row> {
  line: number;
  row: Row | null;
  errors: ImportRowError[];
}

export function checkItem(row: FileRow, policy: ImportErrorPolicy): CheckedRow<CheckedItem> {
  return check(row, { kind: 'ITEMS', policy }, (fields) =>
    readItem({ categories: [], ...fields } as Partial<ItemDraft> as ItemDraft),
  );
}

/** @param now stands in for a time left out. */
export function checkInteraction(row: FileRow, policy: ImportErrorPolicy, now: Date): CheckedRow<CheckedInteraction> {
  return check(row, { kind: 'INTERACTIONS', policy }, ({ occurredAt, ...fields }) => {
    const draft = fields as Partial<InteractionDraft> as InteractionDraft;
    return readInteraction({ ...draft, occurredAt: typeof occurredAt === 'string' ? new Date(occurredAt) : null }, now);
  });
}

function check<Row>(
  { line, content }: FileRow,
  { kind, policy }: { kind: ImportKind; policy: ImportErrorPolicy },
  read: (fields: Record<string, unknown>) => ReadRow<Row>,
): CheckedRow<Row> {
  if ('problem' in content) return { line, row: null, errors: [{ line, field: null, message: content.problem }] };
  const errors: ImportRowError[] = [];
  const fields = Object.fromEntries(Object.entries(content.fields).filter(([, value]) => value !== null));
  for (;;) {
    const answer = findShapeProblem(kind, fields) ?? read(fields);
    if ('row' in answer) return { line, row: answer.row, errors };
    const { field, problem } = answer;
    errors.push({ line, field, message: `${field} ${problem}.` });
    const isSpare = policy === 'IGNORE_FAILED' && FIELDS[kind].spare.includes(field);
    if (!isSpare || !(field in fields)) return { line, row: null, errors };
    delete fields[field];
  }
}

function findShapeProblem(
  kind: ImportKind,
  fields: Record<string, unknown>,
): { field: string; problem: string } | null {
  const { all, required } = FIELDS[kind];
  const missing = required.find((field) => !(field in fields));
  if (missing !== undefined) return { field: missing, problem: 'must be given' };
  for (const [field, value] of Object.entries(fields)) {
    if (!all.includes(field)) return { field: show(field), problem: `is no field: wanted ${all.join(', ')}` };
    const { wanted, fits } = SHAPES[field] ?? TEXT;
    if (!fits(value)) return { field, problem: `must be ${wanted}, got ${show(value)}` };
  }
  return null;
}

function isTime(value: unknown): boolean {
  return typeof value === 'string' && TIME.test(value) && !Number.isNaN(Date.parse(value));
}

/** A value as far as it helps, and can be stored. */
function show(value: unknown): string {
  if (typeof value === 'object' && value !== null) return Array.isArray(value) ? 'a list' : 'an object';
  const text = typeof value === 'string' ? JSON.stringify(value) : String(value);
  return text.length > 80 ? `${text.slice(0, 80)}…`.toWellFormed() : text;
}
