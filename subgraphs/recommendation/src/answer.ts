import { randomUUIDv7 } from 'node:crypto';
import { explainScore } from '@kindred/core/fold-in';
import { type PageInfo, toPageInfo } from '@kindred/service/connection';
import type { ItemReference, ModelVersionReference } from './references.ts';
import type { RecommendationStatus } from './generated/resolvers.ts';
import type { LoadedVersion } from './load-version.ts';
import { encodePosition, type Position } from './position.ts';
import { DEEPEST_RANK, type RankedItem } from './rank-items.ts';
import type { Stopwatch, Timing } from './stopwatch.ts';
import type { Taste } from './taste.ts';

/** A `RecommendationConnection`. */
export interface Answer {
  recommendationId: string;
  status: RecommendationStatus;
  modelVersion: ModelVersionReference | null;
  timing: Timing;
  edges: Edge[];
  /** Written when it is asked for. */
  pageInfo: () => PageInfo;
}

/** A `RecommendationEdge`. */
export interface Edge {
  /** Written when it is asked for. */
  cursor: () => string;
  node: ItemReference;
  rank: number;
  score: number;
  reasons: { item: ItemReference; contribution: number }[];
}

/** What an answer is made of. */
export interface Findings {
  /** What ranked; null when nothing did. */
  version: LoadedVersion | null;
  taste: Taste | null;
  /** The answer so far as it is needed, best first. */
  ranked: readonly RankedItem[];
  page: { first: number; after: Position | null; fingerprint: string };
  explain: boolean;
  knownUntil: Date;
  timing: Stopwatch;
}

const MOST_REASONS = 3;

/** The page of the answer that was asked for. */
export function toAnswer(findings: Findings): Answer {
  const { version, taste, page, timing } = findings;
  const whole = findings.ranked.slice(0, DEEPEST_RANK);
  const start = page.after?.rank ?? 0;
  const end = start + page.first;
  const edges = whole.slice(start, end).map((item, position) => toEdge(findings, item, start + position + 1));
  return {
    recommendationId: `rec_${randomUUIDv7().replaceAll('-', '')}`,
    status: version === null ? 'FALLBACK' : taste === null ? 'COLD_START' : 'PERSONALIZED',
    modelVersion: version && { id: version.id },
    edges,
    pageInfo: () =>
      toPageInfo(endsOf(edges), { hasNextPage: whole.length > end, hasPreviousPage: page.after !== null }),
    timing: timing.end(),
  };
}

/** The first and the last edge, whose cursors a page tells. */
function endsOf(edges: readonly Edge[]): { cursor: string }[] {
  return [edges.at(0), edges.at(-1)].flatMap((edge) => (edge === undefined ? [] : [{ cursor: edge.cursor() }]));
}

function toEdge(findings: Findings, item: RankedItem, rank: number): Edge {
  const { version, page, knownUntil } = findings;
  return {
    cursor: () => encodePosition({ versionId: version?.id ?? null, knownUntil, question: page.fingerprint, rank }),
    node: { id: item.itemId },
    rank,
    score: item.score,
    reasons: reasonsOf(findings, item),
  };
}

/** The own items that speak most for an item that its vector ranks. */
function reasonsOf({ version, taste, explain }: Findings, { itemRow }: RankedItem): Edge['reasons'] {
  if (!explain || version === null || taste === null || itemRow === null) return [];
  const contributions = explainScore(version.artefact, taste.itemRows, itemRow);
  return contributions
    .filter(({ amount }) => amount > 0)
    .slice(0, MOST_REASONS)
    .flatMap(({ itemRow: ownRow, amount }) => {
      const id = version.itemIds[ownRow];
      return id === undefined ? [] : [{ item: { id }, contribution: amount }];
    });
}
