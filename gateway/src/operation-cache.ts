import { LruCache } from '@kindred/service/lru-cache';
import type { PreparedOperation, Refusal } from './operations.ts';

type Built = PreparedOperation | Refusal;

/** What was made of each document and name, and one making of each at a time. */
export interface OperationCache {
  known(query: string, operationName: string | undefined): Built | undefined;
  get(query: string, operationName: string | undefined, build: () => Promise<Built>): Promise<Built>;
  preparedCount(): number;
}

// As many as two thousand operations of the web app's size; a plan weighs about eight times its document.
const CACHE = { capacity: 2_000, maxWeight: 4 * 1024 * 1024 };
// Whoever sends the same mistake again is told the same again.
const REFUSAL_CACHE = { capacity: 500, maxWeight: 1024 * 1024 };

export function createOperationCache(): OperationCache {
  const prepared = new LruCache<PreparedOperation>(CACHE);
  const refused = new LruCache<Refusal>(REFUSAL_CACHE);
  const underWay = new Map<string, Promise<Built>>();
  const keep = (query: string, operationName: string | undefined, built: Built): void => {
    const key = keyOf(query, operationName);
    if (!('planned' in built)) {
      refused.set(key, built, key.length);
      return;
    }
    prepared.set(key, built, key.length);
    // The same operation, whether it is named or not.
    const name = built.node.name?.value;
    if (operationName === undefined && name !== undefined) {
      const named = keyOf(query, name);
      prepared.set(named, built, named.length);
    }
  };
  const make = async (query: string, operationName: string | undefined, build: () => Promise<Built>) => {
    const built = await build();
    keep(query, operationName, built);
    return built;
  };
  return {
    known: (query, operationName) => {
      const key = keyOf(query, operationName);
      return prepared.get(key) ?? refused.get(key);
    },
    get: async (query, operationName, build) => {
      const key = keyOf(query, operationName);
      const found = prepared.get(key) ?? refused.get(key);
      if (found !== undefined) return found;
      let making = underWay.get(key);
      if (making === undefined) {
        making = make(query, operationName, build).finally(() => underWay.delete(key));
        underWay.set(key, making);
      }
      return await making;
    },
    preparedCount: () => prepared.size,
  };
}

function keyOf(query: string, operationName: string | undefined): string {
  return operationName === undefined ? query : `${operationName}\n${query}`;
}
