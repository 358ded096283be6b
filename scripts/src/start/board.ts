import { styleText } from 'node:util';
import type { PartState } from '../processes/supervise.ts';

export type RowState = PartState | { kind: 'waiting' } | { kind: 'working'; what: string } | { kind: 'external' };

export interface Row {
  name: string;
  state: RowState;
  /** Where it listens or comes from, shown once it is ready. */
  note: string;
}

interface Look {
  mark: string;
  colour: 'gray' | 'yellow' | 'green' | 'red';
  text: string;
}

const MARKS: Record<RowState['kind'], Pick<Look, 'mark' | 'colour'>> = {
  waiting: { mark: '○', colour: 'gray' },
  starting: { mark: '◌', colour: 'yellow' },
  working: { mark: '◌', colour: 'yellow' },
  ready: { mark: '●', colour: 'green' },
  external: { mark: '●', colour: 'green' },
  restarting: { mark: '◌', colour: 'red' },
  failed: { mark: '✗', colour: 'red' },
  stopping: { mark: '◌', colour: 'yellow' },
  stopped: { mark: '○', colour: 'gray' },
};

/** How a row looks: a mark, its colour and its words. */
export function lookOf({ state, note }: Row): Look {
  return { ...MARKS[state.kind], text: wordsOf(state, note) };
}

function wordsOf(state: RowState, note: string): string {
  if (state.kind === 'ready' || state.kind === 'external') return note;
  if (state.kind === 'working') return state.what;
  if (state.kind === 'restarting') return `restarting in ${state.inMs / 1000} s: ${state.reason}`;
  return state.kind === 'failed' ? state.reason : state.kind;
}

/** The board as lines of at most `width` columns, one per row, with colours or without. */
export function renderBoard(rows: readonly Row[], { width, colours }: { width: number; colours: boolean }): string[] {
  const nameWidth = Math.max(...rows.map(({ name }) => name.length));
  return rows.map((row) => {
    const { mark, colour, text } = lookOf(row);
    const line = `${row.name.padEnd(nameWidth)}  ${text}`.slice(0, Math.max(20, width - 6));
    return `  ${colours ? styleText(colour, mark, { validateStream: false }) : mark} ${line}`;
  });
}
