/** The subgraphs behind the gateway, in the order in which they are composed. */
export const SUBGRAPHS = ['catalog', 'model', 'recommendation', 'tenant'] as const;

export type SubgraphName = (typeof SUBGRAPHS)[number];

export function isSubgraphName(name: string): name is SubgraphName {
  return (SUBGRAPHS as readonly string[]).includes(name);
}
