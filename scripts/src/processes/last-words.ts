import { readFileSync } from 'node:fs';

const LONGEST = 200;

/** The line of a log's end that tells best why its writer ended: its last error, else its last line. */
export function lastWords(logPath: string): string | null {
  const lines = readFileSync(logPath, 'utf8')
    .slice(-20_000)
    .split('\n')
    .filter((line) => line.trim() !== '');
  for (const line of lines.toReversed()) {
    const error = line.startsWith('{') ? errorOfRecord(line) : /^(?:\w*Error|FATAL|fatal|panic)\b.*/.exec(line)?.[0];
    if (error) return error.slice(0, LONGEST);
  }
  return lines.at(-1)?.trim().slice(0, LONGEST) ?? null;
}

/** The message of one of our servers' log records, when it is an error. */
function errorOfRecord(line: string): string | undefined {
  try {
    const record = JSON.parse(line) as { level?: number; msg?: string; err?: { message?: string } };
    return (record.level ?? 0) >= 50 ? (record.err?.message ?? record.msg) : undefined;
  } catch {
    return undefined; // half a record, cut off where we began to read
  }
}
