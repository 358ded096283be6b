import type { Writable } from 'node:stream';
import { atEndOfTurn } from './end-of-turn.ts';

/** Calls `write`, which writes to the stream. */
export type WriteTogether = (write: () => void) => void;

/**
 * Lets what is written to a stream within one turn of the event loop leave in one system call; where `mostBytes` are
 * given, as soon as so many wait: whoever reads them need not idle until a long turn ends.
 */
export function writeTogether(stream: Writable, { mostBytes = Infinity } = {}): WriteTogether {
  let isHeld = false;
  const release = () => {
    isHeld = false;
    stream.uncork();
  };
  return (write) => {
    if (!isHeld) {
      isHeld = true;
      stream.cork();
      atEndOfTurn(release);
    }
    write();
    if (stream.writableLength < mostBytes) return;
    stream.uncork();
    stream.cork();
  };
}
