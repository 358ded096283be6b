import type { ServePlatform } from './platform.ts';

/** How often rankings came from memory, as the recommendation subgraph counts it. */
export async function readFigures({ ports }: Pick<ServePlatform, 'ports'>): Promise<{ hits: number; misses: number }> {
  const text = await (await fetch(`http://127.0.0.1:${ports.recommendation}/metrics`)).text();
  const read = (name: string): number => Number(new RegExp(`^${name}\\{[^}]*\\} (\\S+)$`, 'm').exec(text)?.[1] ?? 0);
  return { hits: read('kindred_result_cache_hits'), misses: read('kindred_result_cache_misses') };
}
