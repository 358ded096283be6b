import { setTimeout as sleep } from 'node:timers/promises';
import { LoadConnections } from '@kindred/testing/load-connections';
import { quantile } from '@kindred/testing/quantile';
import type { ServePlatform } from './platform.ts';
import { questionOf } from './questions.ts';
import type { World } from './world.ts';

const RECORD = `mutation Record($user: String!, $item: String!) {
  recordInteractions(input: { interactions: [{ userExternalId: $user, itemExternalId: $item, type: CLICK }] }) { recordedCount }
}`;

interface RecommendAnswer {
  data?: { recommend: { modelVersion: { id: string } | null; edges: { node: { externalId: string } }[] } } | null;
}

/** A connection to the API for single questions beside a load. */
export class Client {
  readonly #connections: LoadConnections;
  readonly #path: string;
  readonly #headers: Record<string, string>;

  constructor(url: string, credential: string) {
    const { origin, pathname } = new URL(url);
    this.#connections = new LoadConnections(origin, { connections: 4 });
    this.#path = pathname;
    this.#headers = { 'content-type': 'application/json', authorization: `Bearer ${credential}` };
  }

  /** The items that a user is recommended, by the tenant's own ids, and the version that ranked them. */
  async recommend(user: string): Promise<{ versionId: string | null; items: string[] }> {
    const { data } = await this.#post<RecommendAnswer>(questionOf(user).body);
    if (!data) throw new Error(`There is no answer for ${user}`);
    const { modelVersion, edges } = data.recommend;
    return { versionId: modelVersion?.id ?? null, items: edges.map(({ node }) => node.externalId) };
  }

  async click(user: string, item: string): Promise<void> {
    const { data } = await this.#post<{ data?: { recordInteractions: { recordedCount: number } } }>(
      JSON.stringify({ query: RECORD, variables: { user, item } }),
    );
    if (data?.recordInteractions.recordedCount !== 1)
      throw new Error(`The click of ${user} on ${item} was not recorded`);
  }

  close(): void {
    this.#connections.close();
  }

  async #post<T>(body: string): Promise<T> {
    const { text } = await this.#connections.post({ path: this.#path, headers: this.#headers, body });
    return JSON.parse(text) as T;
  }
}

export interface EventFigures {
  count: number;
  p50Ms: number;
  p95Ms: number;
  /** Answers that came after the acknowledgement and still held the clicked item. */
  stale: number;
}

export interface EventOptions {
  nextUser: () => string;
  /** Whether to go on after so many clicks. */
  isWanted: (count: number) => boolean;
  pauseMs: number;
}

/** Users click their first recommendation: from the click's sending to the end of the first answer without it. */
export async function measureEvents(
  platform: ServePlatform,
  world: World,
  { nextUser, isWanted, pauseMs }: EventOptions,
): Promise<EventFigures> {
  const client = new Client(platform.gatewayUrl, world.credential);
  const latencies: number[] = [];
  let stale = 0;
  while (isWanted(latencies.length)) {
    const user = nextUser();
    const [first] = (await client.recommend(user)).items;
    if (first === undefined) throw new Error(`${user} is recommended nothing`);
    const startedAt = performance.now();
    await client.click(user, first);
    while ((await client.recommend(user)).items.includes(first)) stale += 1;
    latencies.push(performance.now() - startedAt);
    await sleep(pauseMs);
  }
  client.close();
  const ascending = Float64Array.from(latencies).toSorted();
  return { count: ascending.length, p50Ms: quantile(ascending, 0.5), p95Ms: quantile(ascending, 0.95), stale };
}
