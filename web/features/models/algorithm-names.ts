const NAMES: Record<string, string> = { LIGHTGCN: 'LightGCN', SPECTRAL: 'Spectral', POPULARITY: 'Popularity' };

/** What people call something that was measured; what this build does not know yet keeps its name of the API. */
export function algorithmName(name: string): string {
  return NAMES[name] ?? name;
}

/** Orders baselines: popularity, which everything is compared with, before all others, which stay as they are. */
export function byPopularityFirst(a: { name: string }, b: { name: string }): number {
  return Number(b.name === 'POPULARITY') - Number(a.name === 'POPULARITY');
}
