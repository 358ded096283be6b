import { expect, test } from 'vitest';
import { type Row, renderBoard } from './board.ts';
import { showBoard } from './show-board.ts';

const ROWS: Row[] = [
  { name: 'PostgreSQL', state: { kind: 'ready' }, note: 'embedded 18.4, port 4010' },
  { name: 'Temporal', state: { kind: 'working', what: 'building (31 s)' }, note: '' },
  { name: 'gateway', state: { kind: 'restarting', reason: 'it ended with code 1', inMs: 500 }, note: 'port 4001' },
  { name: 'dashboard', state: { kind: 'waiting' }, note: '' },
];

interface Screen {
  text: string;
  isTTY: boolean;
  columns: number;
  write(chunk: string): boolean;
}

function createScreen(isTTY: boolean): Screen {
  return {
    text: '',
    isTTY,
    columns: 80,
    write(chunk) {
      this.text += chunk;
      return true;
    },
  };
}

test('the board has one line for each part, with its state in words', () => {
  expect(renderBoard(ROWS, { width: 80, colours: false })).toEqual([
    '  ● PostgreSQL  embedded 18.4, port 4010',
    '  ◌ Temporal    building (31 s)',
    '  ◌ gateway     restarting in 0.5 s: it ended with code 1',
    '  ○ dashboard   waiting',
  ]);
});

test('a part that serves is green, one that failed red', () => {
  const failed: Row = { name: 'model', state: { kind: 'failed', reason: 'no' }, note: '' };
  const [ready, red] = renderBoard([ROWS[0] ?? failed, failed], { width: 80, colours: true });
  expect(ready).toContain('\u001b[32m●');
  expect(red).toContain('\u001b[31m✗');
});

test('no line is wider than the terminal, so that redrawing in place stays in place', () => {
  const long: Row = { name: 'model', state: { kind: 'failed', reason: 'x'.repeat(500) }, note: '' };
  expect(renderBoard([long], { width: 60, colours: false })[0]?.length).toBeLessThanOrEqual(60);
});

test('a terminal is redrawn in place until something is printed below', () => {
  const screen = createScreen(true);
  const board = showBoard(screen);
  board.set('a', { kind: 'starting' });
  board.set('b', { kind: 'starting' });
  board.set('a', { kind: 'ready' }, 'port 1');
  expect(screen.text).toContain('\u001b[2A');
  board.print('done');
  screen.text = '';
  board.set('b', { kind: 'ready' }, 'port 2');
  expect(screen.text).toBe('● b: port 2\n');
});

test('elsewhere each change is one line, and a clock alone is no change', () => {
  const screen = createScreen(false);
  const board = showBoard(screen);
  board.set('Temporal', { kind: 'waiting' });
  for (const seconds of [0, 1, 2]) board.set('Temporal', { kind: 'working', what: `building (${seconds} s)` });
  board.set('Temporal', { kind: 'ready' }, 'port 4012');
  expect(screen.text).toBe('◌ Temporal: building (0 s)\n● Temporal: port 4012\n');
});
