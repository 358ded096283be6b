import type { GraphiQLProps } from 'graphiql';

/**
 * Keeps what GraphiQL remembers for as long as the page is open. Queries and variables name a tenant's users: in the
 * browser's own storage the next one to sign in would find them.
 */
export function createPageStorage(): NonNullable<GraphiQLProps['storage']> {
  const values = new Map<string, string>();
  return {
    getItem: (key) => values.get(key) ?? null,
    setItem: (key, value) => void values.set(key, value),
    removeItem: (key) => void values.delete(key),
    clear: () => values.clear(),
    get length() {
      return values.size;
    },
  };
}
