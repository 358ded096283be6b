import type { Credential } from './auth.ts';

// The longest that a timer of Node runs; longer ones fire at once.
const MAX_TIMER_MS = 2 ** 31 - 1;

/** Calls `onEnd` once when the credential expires, was revoked or can no longer be checked. Returns what stops it. */
export function watchCredential(credential: Credential, onEnd: (error: unknown) => void): () => void {
  let timer: NodeJS.Timeout | undefined;
  let stopped = false;
  const watch = (): void => {
    const validForMs = credential.validForMs();
    if (validForMs === null || stopped) return;
    timer = setTimeout(() => void recheck(), Math.min(validForMs + 1, MAX_TIMER_MS)).unref();
  };
  const recheck = async (): Promise<void> => {
    try {
      await credential.recheck();
    } catch (error) {
      if (!stopped) onEnd(error);
      return;
    }
    watch();
  };
  watch();
  return () => {
    stopped = true;
    clearTimeout(timer);
  };
}
