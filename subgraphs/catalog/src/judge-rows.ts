import type { ReadRow } from '@kindred/domain/read-row';
import type { UserError } from './generated/resolvers.ts';

/** A bulk mutation takes this many rows at most. */
const MAX_ROWS = 5_000;
/** A payload reports this many wrong rows at most. */
export const MAX_REPORTED_ROWS = 100;

/** A wrong row of the input list `list`. */
export interface WrongRow {
  position: number;
  error: UserError;
}

export interface JudgedRows<Row> {
  good: { position: number; row: Row }[];
  wrong: WrongRow[];
}

/** Reads every row of the input list called `list` and parts the good ones from the wrong ones, both in the order sent. */
export function judgeRows<Input, Row>(
  list: string,
  inputs: readonly Input[],
  read: (input: Input, position: number) => ReadRow<Row>,
): JudgedRows<Row> {
  const judged: JudgedRows<Row> = { good: [], wrong: [] };
  for (const [position, input] of inputs.entries()) {
    const answer = read(input, position);
    if ('row' in answer) judged.good.push({ position, row: answer.row });
    else {
      const { field, problem } = answer;
      judged.wrong.push(wrongRow('INVALID', [list, position, field], problem));
    }
  }
  return judged;
}

/** A wrong row with its reason: the field's name and `problem` make the message. */
export function wrongRow(
  code: UserError['code'],
  [list, position, field]: readonly [list: string, position: number, field: string],
  problem: string,
): WrongRow {
  return { position, error: { code, message: `${field} ${problem}.`, path: [list, String(position), field] } };
}

/** What is wrong with the number of rows, if anything. */
export function checkRowCount(list: string, count: number): UserError[] {
  if (count >= 1 && count <= MAX_ROWS) return [];
  return [{ code: 'INVALID', message: `${list} must hold 1-${MAX_ROWS} rows, got ${count}.`, path: [list] }];
}

/** The reported errors: the first rows by position. */
export function reportRows(wrong: readonly WrongRow[]): UserError[] {
  const inOrder = wrong.toSorted((left, right) => left.position - right.position);
  return inOrder.slice(0, MAX_REPORTED_ROWS).map((row) => row.error);
}
