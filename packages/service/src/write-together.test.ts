import { Writable } from 'node:stream';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { writeTogether } from './write-together.ts';

/** A stream that keeps what left it, one text for each system call that a socket would make. */
function createStream() {
  const calls: string[] = [];
  const stream = new Writable({
    write: (chunk: Buffer, _encoding, done) => {
      calls.push(chunk.toString());
      done();
    },
    writev: (chunks, done) => {
      calls.push(chunks.map(({ chunk }) => (chunk as Buffer).toString()).join('+'));
      done();
    },
  });
  return { stream, calls };
}

test('what is written in one turn leaves together at its end', async () => {
  const { stream, calls } = createStream();
  const together = writeTogether(stream);
  for (const text of ['one', 'two', 'three']) together(() => stream.write(text));
  expect(calls).toEqual([]);
  await nextTurn();
  together(() => stream.write('four'));
  await nextTurn();
  expect(calls).toEqual(['one+two+three', 'four']);
});

test('so many bytes leave at once, and what comes after them in this turn leaves together again', async () => {
  const { stream, calls } = createStream();
  const together = writeTogether(stream, { mostBytes: 8 });
  for (const text of ['1111', '2222', '3333', '4444', '5555']) together(() => stream.write(text));
  expect(calls).toEqual(['1111+2222', '3333+4444']);
  await nextTurn();
  expect(calls).toEqual(['1111+2222', '3333+4444', '5555']);
});
