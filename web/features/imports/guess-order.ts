import type { ImportFormat, ImportKind } from '../../src/generated/graphql.ts';

interface Order {
  kind: ImportKind;
  format: ImportFormat;
}

/** What a file seems to be, by its name and its beginning: a first choice that whoever uploads it can change. */
export function guessOrder(fileName: string, beginning: string): Order {
  const first = beginning.trimStart();
  const format =
    /\.csv$/i.test(fileName) || (!/\.(jsonl|ndjson)$/i.test(fileName) && !first.startsWith('{')) ? 'CSV' : 'JSONL';
  const [line = ''] = first.split('\n', 1);
  const kind = /itemExternalId|userExternalId/.test(line) ? 'INTERACTIONS' : 'ITEMS';
  return { kind, format };
}
