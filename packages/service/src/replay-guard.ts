/** Whose token, and which of that signer's. */
export interface TokenId {
  signer: string;
  number: number;
}

/** Remembers what came in the last `windowMs` at least, and at most twice as long. */
export interface ReplayGuard {
  /** Whether this token comes for the first time. */
  admit(id: TokenId): boolean;
}

/** The numbers seen of each signer: a third of the memory of as many ids. */
type Generation = Map<string, Set<number>>;

/** A guard in this process's memory: two generations of tokens, of which the older one is dropped whole. */
export function createReplayGuard(windowMs: number): ReplayGuard {
  let young: Generation = new Map();
  let old: Generation = new Map();
  let turnsAtMs = Date.now() + windowMs;
  return {
    admit: ({ signer, number }) => {
      const now = Date.now();
      if (now >= turnsAtMs) {
        // After a long silence the young ones are too old as well.
        old = now < turnsAtMs + windowMs ? young : new Map();
        young = new Map();
        turnsAtMs = now + windowMs;
      }
      let seen = young.get(signer);
      if (seen === undefined) young.set(signer, (seen = new Set()));
      if (seen.has(number) || old.get(signer)?.has(number) === true) return false;
      seen.add(number);
      return true;
    },
  };
}
