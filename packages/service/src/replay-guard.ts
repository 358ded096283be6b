/** Remembers what came in the last `windowMs` at least, and at most twice as long. */
export interface ReplayGuard {
  /** Whether this id comes for the first time. */
  admit(id: string): boolean;
}

/** A guard in this process's memory: two generations of ids, of which the older one is dropped whole. */
export function createReplayGuard(windowMs: number): ReplayGuard {
  let young = new Set<string>();
  let old = new Set<string>();
  let turnsAtMs = Date.now() + windowMs;
  return {
    admit: (id) => {
      const now = Date.now();
      if (now >= turnsAtMs) {
        // After a long silence the young ones are too old as well.
        old = now < turnsAtMs + windowMs ? young : new Set();
        young = new Set();
        turnsAtMs = now + windowMs;
      }
      if (young.has(id) || old.has(id)) return false;
      young.add(id);
      return true;
    },
  };
}
