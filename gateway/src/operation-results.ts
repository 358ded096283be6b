/**
 * The results of one operation over a socket or stream, each as JSON, for a consumer who asks for them one at a time. Whoever
 * waits for the next is called, not awaited: a subscription waits for seconds, long enough for the promise of each event to
 * be moved among what is old, which V8 collects last.
 */
export interface OperationResults {
  /** Asks for the next one; not before the last was given. `take` gets it once, maybe at once; undefined after the last. */
  ask(take: (result: string | undefined) => void): void;
  /** Ends the operation; who waits gets undefined. */
  end(): void;
}

/** The results in a loop; leaving it ends the operation. */
export function iterate(results: OperationResults): AsyncIterableIterator<string, undefined> {
  const iterator: AsyncIterableIterator<string, undefined> = {
    next: () =>
      new Promise((resolve) => {
        results.ask((value) => resolve(value === undefined ? { done: true, value } : { done: false, value }));
      }),
    return: () => {
      results.end();
      return Promise.resolve({ done: true, value: undefined });
    },
    [Symbol.asyncIterator]: () => iterator,
  };
  return iterator;
}
