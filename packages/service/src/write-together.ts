import type { Writable } from 'node:stream';
import { atEndOfTurn } from './end-of-turn.ts';

/** Lets all that is written to a stream within one turn of the event loop leave in one system call; to be called before each write. */
export function writeTogether(stream: Writable): () => void {
  let isHeld = false;
  const release = () => {
    isHeld = false;
    stream.uncork();
  };
  return () => {
    if (isHeld) return;
    isHeld = true;
    stream.cork();
    atEndOfTurn(release);
  };
}
