import type { WriteStream } from 'node:tty';
import { lookOf, type Row, type RowState, renderBoard } from './board.ts';

/** The status board on a terminal, redrawn in place; elsewhere one line per change. */
export interface Board {
  /** Adds a row, or changes the one of that name. */
  set(name: string, state: RowState, note?: string): void;
  /** Prints lines below the rows; on a terminal the rows stay where they are from then on. */
  print(text: string): void;
  /** Stops redrawing: later changes are printed as lines. */
  settle(): void;
}

type Output = Pick<WriteStream, 'write'> & { isTTY?: boolean; columns?: number };

const REPEAT_AFTER_MS = 30_000;

export function showBoard(output: Output): Board {
  const rows: Row[] = [];
  let drawnLines = 0;
  let settled = output.isTTY !== true;
  const said = new Map<string, { text: string; at: number }>();

  const say = (row: Row): void => {
    const { mark, text } = lookOf(row);
    const key = `${row.state.kind} ${text.replaceAll(/\d+ s\b/g, '')}`; // a clock alone is no change
    const before = said.get(row.name);
    if (before?.text === key && performance.now() - before.at < REPEAT_AFTER_MS) return;
    said.set(row.name, { text: key, at: performance.now() });
    if (row.state.kind !== 'waiting' && row.state.kind !== 'stopping') output.write(`${mark} ${row.name}: ${text}\n`);
  };
  const draw = (): void => {
    const lines = renderBoard(rows, { width: output.columns || 80, colours: true });
    const up = drawnLines > 0 ? `\u001b[${drawnLines}A` : '';
    output.write(`${up}${lines.map((line) => `\u001b[2K${line}\n`).join('')}`);
    drawnLines = lines.length;
  };
  return {
    set(name, state, note) {
      const row = rows.find((candidate) => candidate.name === name) ?? { name, state, note: '' };
      if (!rows.includes(row)) rows.push(row);
      row.state = state;
      if (note !== undefined) row.note = note;
      if (settled) say(row);
      else draw();
    },
    print(text) {
      this.settle();
      output.write(`${text}\n`);
    },
    settle() {
      settled = true;
    },
  };
}
