/** Ends a wait that an abort of `signal` would have ended by calling `onAbort`. */
export function stopListening(signal: AbortSignal, onAbort: () => void) {
  return <T>(end: (value: T) => void) =>
    (value: T): void => {
      signal.removeEventListener('abort', onAbort);
      end(value);
    };
}
