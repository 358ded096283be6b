import type { ServerResponse } from 'node:http';
import { untilDrained } from '@kindred/service/event-stream';
import { type FormatError, toFormattedError } from '@kindred/service/format-error';
import type { ExecutionResult, FormattedExecutionResult } from 'graphql';
import type { AnsweredPart, ExecutedInParts } from './executor/incremental.ts';
import { capErrors } from './limits.ts';

/** One message of an answer in parts (incremental delivery of 2022-08-24). */
export interface Chunk extends FormattedExecutionResult {
  incremental?: readonly object[];
  hasNext: boolean;
}

/** The whole of an answer in parts, to be told with the last of them. */
export interface Total {
  objectCount: number | undefined;
  hasData: boolean;
}

const HEAD = 'content-type: application/json; charset=utf-8\r\n\r\n';
export const PARTS_CONTENT_TYPE = 'multipart/mixed; boundary="-"; deferSpec=20220824';

/** The messages of the answer, each as soon as it is there. `onEnd` is called once, also when nobody reads on. */
export async function* formatParts(
  { first, rest }: ExecutedInParts,
  { formatError, onEnd }: { formatError: FormatError; onEnd: (total: Total) => Record<string, unknown> },
): AsyncGenerator<Chunk, undefined> {
  const total: Total = { objectCount: first.objectCount, hasData: Boolean(first.result.data) };
  let errorCount = 0;
  const format = (result: ExecutionResult): FormattedExecutionResult => {
    const { data = null, errors = [], extensions } = capErrors(result, errorCount);
    errorCount += errors.length;
    const formatted = errors.map((error) => toFormattedError(error, formatError));
    return { data, ...(errors.length > 0 && { errors: formatted }), ...(extensions && { extensions }) };
  };
  const formatPart = ({ path, label, result, objectCount }: AnsweredPart): object => {
    if (total.objectCount !== undefined) total.objectCount += objectCount ?? 0;
    return { path, ...(label !== undefined && { label }), ...format(result) };
  };
  let isOver = false;
  const end = () => {
    isOver = true;
    return { extensions: onEnd(total) };
  };
  try {
    const formatted = format(first.result);
    if (rest === undefined) {
      yield { ...formatted, hasNext: false, extensions: { ...formatted.extensions, ...end().extensions } };
      return;
    }
    yield { ...formatted, hasNext: true };
    for await (const { parts, hasNext } of rest) {
      const incremental = parts.map(formatPart);
      yield { incremental, hasNext, ...(!hasNext && end()) };
    }
  } finally {
    if (!isOver) onEnd(total);
  }
}

/** Writes each message as a part of its own, at the pace of its reader, until `signal` says that it has had its time. */
export async function writeParts(
  res: ServerResponse,
  chunks: AsyncGenerator<Chunk, undefined>,
  signal: AbortSignal,
): Promise<void> {
  res.write('\r\n---\r\n');
  for await (const chunk of chunks) {
    if (res.destroyed) break;
    const fits = res.write(`${HEAD}${JSON.stringify(chunk)}\r\n---${chunk.hasNext ? '' : '--'}\r\n`);
    if (!fits) await untilDrained(res, signal);
  }
  res.end();
}
