import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import type { ImportFormat, ImportKind } from '@kindred/domain/imports';
import { permanentFailure } from '../failures.ts';
import { type FileRecord, MAX_RECORD_BYTES, RecordCutter } from './cut-records.ts';
import { FIELDS } from './fields.ts';
import { parseCsvRow } from './parse-csv-row.ts';

/** Where the rows of a file begin, and how they are read. */
export interface RowLayout {
  position: number;
  line: number;
  /** The names of a CSV file's columns; null for JSONL. */
  columns: readonly string[] | null;
}

/** One row of a file, unchecked: its fields by name, or why it has none. */
export interface FileRow {
  line: number;
  content: { fields: Record<string, unknown> } | { problem: string };
}

/** Rows that follow one another, with where the next one begins. */
export interface RowBatch {
  rows: FileRow[];
  end: number;
  nextLine: number;
}

const BYTE_ORDER_MARK = Buffer.from([0xef, 0xbb, 0xbf]);
const READ_AT_ONCE = 2 ** 18;
const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** @throws ApplicationFailure UnreadableImport for a file without rows, or whose first line does not name its columns. */
export async function readLayout(
  path: string,
  { kind, format }: { kind: ImportKind; format: ImportFormat },
): Promise<RowLayout> {
  await using file = await open(path);
  const start = Buffer.alloc(MAX_RECORD_BYTES + 3);
  const { bytesRead } = await file.read(start, 0, start.length, 0);
  const position = start.subarray(0, 3).equals(BYTE_ORDER_MARK) ? 3 : 0;
  if (bytesRead === position) throw unreadable('The file is empty.');
  if (format === 'JSONL') return { position, line: 1, columns: null };
  const cutter = new RecordCutter({ position, line: 1, isQuoted: true });
  const [header] = [...cutter.push(start.subarray(position, bytesRead)), ...cutter.end()];
  if (header === undefined) throw unreadable('The file is empty.');
  return { position: header.end, line: header.nextLine, columns: readHeader(header, kind) };
}

function readHeader({ content }: FileRecord, kind: ImportKind): string[] {
  const text = 'bytes' in content ? textOf(content.bytes) : content;
  const row = 'text' in text ? parseCsvRow(text.text) : text;
  if ('problem' in row) throw unreadable(`The first line must name the columns. ${row.problem}`);
  const columns = row.cells.map((cell) => cell.trim());
  const { all, required } = FIELDS[kind];
  const unknown = columns.find((column) => !all.includes(column));
  const wanted = `wanted ${all.join(', ')}`;
  if (unknown !== undefined)
    throw unreadable(`The first line names the column ${JSON.stringify(unknown.slice(0, 100))}: ${wanted}.`);
  const repeated = columns.find((column, index) => columns.indexOf(column) < index);
  if (repeated !== undefined) throw unreadable(`The first line names the column ${repeated} twice.`);
  const missing = required.filter((column) => !columns.includes(column));
  if (missing.length > 0) throw unreadable(`The first line lacks the column ${missing.join(', ')}: ${wanted}.`);
  return columns;
}

/** The rows from a place on, in batches of at most `batchRows`, as they stand in the file. Blank lines are no rows. */
export async function* readBatches(
  path: string,
  { columns, position, line, batchRows }: RowLayout & { batchRows: number },
): AsyncGenerator<RowBatch> {
  const cutter = new RecordCutter({ position, line, isQuoted: columns !== null });
  let batch: RowBatch = { rows: [], end: position, nextLine: line };
  for await (const records of cutFile(path, position, cutter)) {
    for (const record of records) {
      const row = readRow(record, columns);
      if (row !== null) batch.rows.push(row);
      batch = { rows: batch.rows, end: record.end, nextLine: record.nextLine };
      if (batch.rows.length >= batchRows) {
        yield batch;
        batch = { ...batch, rows: [] };
      }
    }
  }
  if (batch.rows.length > 0) yield batch;
}

async function* cutFile(path: string, start: number, cutter: RecordCutter): AsyncGenerator<FileRecord[]> {
  for await (const chunk of createReadStream(path, { start, highWaterMark: READ_AT_ONCE })) {
    yield cutter.push(chunk as Buffer);
  }
  yield cutter.end();
}

function readRow({ line, content }: FileRecord, columns: readonly string[] | null): FileRow | null {
  if ('problem' in content) return wrong(line, content.problem);
  if (content.bytes.length === 0) return null;
  const text = textOf(content.bytes);
  if ('problem' in text) return wrong(line, text.problem);
  if (text.text.trim() === '') return null;
  return columns === null ? readJson(line, text.text) : readCsv(line, text.text, columns);
}

function textOf(bytes: Buffer): { text: string } | { problem: string } {
  const nul = bytes.indexOf(0);
  if (nul !== -1) return { problem: `The row holds a NUL byte, its byte ${nul + 1}.` };
  try {
    return { text: UTF8.decode(bytes) };
  } catch {
    return { problem: 'The row is not UTF-8.' };
  }
}

function readJson(line: number, text: string): FileRow {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
      return { line, content: { fields: value as Record<string, unknown> } };
    }
  } catch {
    return wrong(line, 'The row is not JSON.');
  }
  return wrong(line, 'The row must be a JSON object.');
}

function readCsv(line: number, text: string, columns: readonly string[]): FileRow {
  const row = parseCsvRow(text);
  if ('problem' in row) return wrong(line, row.problem);
  const { cells } = row;
  if (cells.length !== columns.length) {
    return wrong(line, `The row has ${cells.length} columns, wanted ${columns.length}.`);
  }
  const fields: Record<string, unknown> = {};
  for (const [index, column] of columns.entries()) {
    const cell = cells[index] ?? '';
    if (cell === '') continue;
    fields[column] = readCell(column, cell);
  }
  return { line, content: { fields } };
}

/** What a cell says: categories stand between `|`, properties are JSON, a value is a number. */
function readCell(column: string, cell: string): unknown {
  if (column === 'categories') return cell.split('|').map((category) => category.trim());
  if (column === 'value') return cell.trim() === '' ? Number.NaN : Number(cell);
  if (column !== 'properties') return cell;
  try {
    return JSON.parse(cell) as unknown;
  } catch {
    // The text is no object, which is what is wrong with it.
    return cell;
  }
}

function wrong(line: number, problem: string): FileRow {
  return { line, content: { problem } };
}

function unreadable(message: string): Error {
  return permanentFailure('UnreadableImport', message);
}
