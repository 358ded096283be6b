import type { ImportErrorPolicy, ImportFormat, ImportKind } from '../../src/generated/graphql.ts';

export const KIND_NAMES: Readonly<Record<ImportKind, string>> = { ITEMS: 'Items', INTERACTIONS: 'Interactions' };

export const FORMAT_NAMES: Readonly<Record<ImportFormat, string>> = { JSONL: 'JSON lines', CSV: 'CSV' };

export const POLICY_NAMES: Readonly<Record<ImportErrorPolicy, string>> = {
  REJECT_FAILED_ROWS: 'Write the good rows, report the others',
  IGNORE_FAILED: 'Also write a row without a wrong category, property or value',
  REJECT_EVERYTHING: 'Write nothing when any row is wrong',
};
