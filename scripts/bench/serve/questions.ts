import { createRandom } from '../../src/demo/random.ts';
import type { Question } from './load.ts';
import { GENRES, userName, type World } from './world.ts';

/** Twenty items with titles, which a second subgraph knows. */
const RECOMMEND = `query Recommend($input: RecommendInput!) {
  recommend(input: $input, first: 20) {
    recommendationId status modelVersion { id }
    timing { admissionMs versionMs userMs filterMs searchMs rankMs totalMs cached }
    edges { rank score node { id externalId title } }
  }
}`;

export function questionOf(userExternalId: string, where: object | null = null): Question {
  return {
    body: JSON.stringify({ query: RECOMMEND, variables: { input: { user: { externalId: userExternalId }, where } } }),
  };
}

/** Users evenly: nobody comes twice soon, so that no answer is kept from before. */
export function evenly({ userCount }: World): () => Question {
  const random = createRandom(5);
  return () => questionOf(userName(Math.floor(random.next() * userCount)));
}

/** Users as a Zipf law of exponent 1 has them: the n-th comes 1/n as often as the first. */
export function byZipf(world: World): () => Question {
  const next = zipfUsers(world, 6);
  return () => questionOf(next());
}

/** Users by the same law. */
export function zipfUsers({ userCount }: World, seed: number): () => string {
  const random = createRandom(seed);
  const cumulative = new Float64Array(userCount);
  let total = 0;
  for (let user = 0; user < userCount; user++) cumulative[user] = total += 1 / (user + 1);
  return () => userName(lowerBound(cumulative, random.next() * total));
}

/** Half without a filter, the others selective, middling and broad ones in turn. */
export function filtered(world: World): () => Question {
  const random = createRandom(7);
  const filters = [
    null,
    { property: { name: 'seller', eq: 'seller-7' } },
    null,
    { category: { in: GENRES.slice(0, 2) } },
    null,
    { and: [{ property: { name: 'year', gte: 1960 } }, { not: { category: { eq: 'Horror' } } }] },
  ];
  let count = 0;
  return () => questionOf(userName(Math.floor(random.next() * world.userCount)), filters[count++ % filters.length]);
}

/** The first place whose value is above the wanted one. */
function lowerBound(ascending: Float64Array, wanted: number): number {
  let [low, high] = [0, ascending.length - 1];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((ascending[middle] ?? 0) > wanted) high = middle;
    else low = middle + 1;
  }
  return low;
}
