const waiting: (() => void)[] = [];

/**
 * Runs `work`, which must not throw, when the event loop has dealt with all input that is here: with whatever else waits
 * for that, in the order in which it was asked for, and what is asked for by then too.
 */
export function atEndOfTurn(work: () => void): void {
  if (waiting.push(work) === 1) setImmediate(runAll);
}

function runAll(): void {
  for (let next = 0; next < waiting.length; next++) waiting[next]?.();
  waiting.length = 0;
}
