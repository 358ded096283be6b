/** What gateways are asked, by how many subgraphs and objects an answer takes. */
export const QUERIES = {
  '1 subgraph, 1 object': 'query ($user: String!) { item(externalId: $user) { title } }',
  '2 subgraphs, 20 objects':
    'query ($user: ID!) { similarItems(itemId: $user, first: 20) { edges { rank score node { title categories } } } }',
  '3 subgraphs, 1 object':
    'query ($user: String!) { recommend(input: { user: { externalId: $user } }, first: 1) { status modelVersion { number model { name tenant { name } } } } }',
  '3 subgraphs, 20 objects':
    'query ($user: String!) { recommend(input: { user: { externalId: $user } }, first: 20) { status modelVersion { number model { name } } edges { rank score node { title categories } } } }',
};

/** Those of three subgraphs, for which the real ones have a tenant with data. */
export const REAL_QUERIES = {
  '3 subgraphs, 1 object': QUERIES['3 subgraphs, 1 object'],
  '3 subgraphs, 20 objects': QUERIES['3 subgraphs, 20 objects'],
};

/** The bodies of requests for a query, of which nothing but the user changes. */
export function bodiesOf(query: string): (user: string) => string {
  const head = JSON.stringify({ query }).slice(0, -1);
  return (user) => `${head},"variables":{"user":"${user}"}}`;
}
