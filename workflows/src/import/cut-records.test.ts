import { expect, test } from 'vitest';
import { type FileRecord, MAX_RECORD_BYTES, RecordCutter } from './cut-records.ts';

function cut(text: string, { isQuoted, chunkBytes }: { isQuoted: boolean; chunkBytes: number }): FileRecord[] {
  const bytes = Buffer.from(text);
  const cutter = new RecordCutter({ position: 0, line: 1, isQuoted });
  const records: FileRecord[] = [];
  for (let at = 0; at < bytes.length; at += chunkBytes)
    records.push(...cutter.push(bytes.subarray(at, at + chunkBytes)));
  return [...records, ...cutter.end()];
}

const show = (records: readonly FileRecord[]) =>
  records.map(({ line, content }) => `${line}:${'bytes' in content ? content.bytes.toString() : '!'}`);

const TEXT = 'first\r\n"second\nhas ""two"" lines"\n\nünïcode\nlast';

test.each([1, 2, 3, 7, 1_000])('records are the same however the file comes, here by %i bytes', (chunkBytes) => {
  const records = cut(TEXT, { isQuoted: true, chunkBytes });
  expect(show(records)).toEqual(['1:first', '2:"second\nhas ""two"" lines"', '4:', '5:ünïcode', '6:last']);
  expect(records.at(-1)?.end).toBe(Buffer.byteLength(TEXT));
});

test('cutting that begins at the end of any record goes on with the next one', () => {
  const records = cut(TEXT, { isQuoted: true, chunkBytes: 1_000 });
  for (const [index, { end, nextLine }] of records.entries()) {
    const cutter = new RecordCutter({ position: end, line: nextLine, isQuoted: true });
    const rest = [...cutter.push(Buffer.from(TEXT).subarray(end)), ...cutter.end()];
    expect(rest).toEqual(records.slice(index + 1));
  }
});

test.each([4_096, 2 ** 18, 2 ** 22])(
  'a line that is too long is left out, whole, by chunks of %i bytes',
  (chunkBytes) => {
    const long = 'x'.repeat(3 * MAX_RECORD_BYTES);
    const records = cut(`a\n${long}\nb`, { isQuoted: false, chunkBytes });
    expect(show(records)).toEqual(['1:a', '2:!', '3:b']);
    expect(records.at(1)?.end).toBe(2 + long.length + 1);
    expect(show(cut(`a\n${long}`, { isQuoted: false, chunkBytes }))).toEqual(['1:a', '2:!']);
  },
);

test('a quote that is not closed costs its own line and none of those behind it', () => {
  expect(show(cut('a\n"b\nc\nd', { isQuoted: true, chunkBytes: 1_000 }))).toEqual(['1:a', '2:!', '3:c', '4:d']);
});
