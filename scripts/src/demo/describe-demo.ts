import type { Demo } from './seed-demo.ts';

/** What a person needs to know of the demo tenant, as lines. */
export function describeDemo({ record, version, recommendation }: Demo): string[] {
  return [
    `  Sign in       ${record.email}  ${record.password}`,
    `  Browser key   ${record.publishableKey}`,
    '',
    `  Data          ${record.source}`,
    ...describeQuality(version),
    ...describeIndex(version),
    '',
    `  For user ${record.userExternalId} (${recommendation.status}):`,
    ...recommendation.edges.map(({ rank, node }) => `  ${String(rank).padStart(4)}. ${node.title}`),
  ];
}

function describeQuality({ number, metrics, baselines }: Demo['version']): string[] {
  if (metrics === null) return [];
  const others = baselines.map(({ name, metrics: its }) => `${name.toLowerCase()} ${its.ndcgAt10.toFixed(4)}`);
  return [
    `  Model         version ${number}, NDCG@10 on held-out data: LightGCN ${metrics.ndcgAt10.toFixed(4)}, ${others.join(', ')}`,
  ];
}

function describeIndex({ index }: Demo['version']): string[] {
  if (index === null) return [];
  const kind = index.kind === 'FAISS' ? `FAISS ${index.factory ?? ''}`.trim() : 'exact search';
  return [`  Index         ${kind}, recall@20 ${index.recallAt20.toFixed(3)} of the exact answer`];
}
