import { randomUUIDv7 } from 'node:crypto';
import type { Attribution } from '@kindred/service/attribution-token';
import { explainScore } from '@kindred/core/fold-in';
import { type PageInfo, toPageInfo } from '@kindred/service/connection';
import type { ItemReference, ModelVersionReference } from './references.ts';
import type { RecommendationStatus } from './generated/resolvers.ts';
import type { LoadedVersion } from './load-version.ts';
import { encodePosition, type Position } from './position.ts';
import { DEEPEST_RANK, type RankedItem } from './rank-items.ts';
import type { Stopwatch, Timing } from './stopwatch.ts';
import type { Taste } from './taste.ts';
import type { Side } from './trial.ts';

/** A `RecommendationConnection`. */
export interface Answer {
  recommendationId: string;
  status: RecommendationStatus;
  modelVersion: ModelVersionReference | null;
  variant: { arm: Side['arm']; sharePercent: number } | null;
  /** What its token says, but for whose it is and when; the token is written when it is asked for. */
  attribution: Pick<Attribution, 'recommendationId' | 'scenario' | 'versionId' | 'trial'>;
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
  /** Null outside of trials. */
  side: Side | null;
  taste: Taste | null;
  /** The answer so far as it is needed, best first. */
  ranked: readonly RankedItem[];
  page: { first: number; after: Position | null; fingerprint: string };
  explain: boolean;
  knownUntil: Date;
  timing: Stopwatch;
}

const MOST_REASONS = 3;
/** Until there are others. */
const SCENARIO = 'default';

/** The page of the answer that was asked for. */
export function toAnswer(findings: Findings): Answer {
  const { version, side, taste, page, timing } = findings;
  const whole = findings.ranked.slice(0, DEEPEST_RANK);
  const start = page.after?.rank ?? 0;
  const end = start + page.first;
  const edges = whole.slice(start, end).map((item, position) => toEdge(findings, item, start + position + 1));
  const recommendationId = randomUUIDv7();
  return {
    recommendationId: `rec_${recommendationId.replaceAll('-', '')}`,
    status: version === null ? 'FALLBACK' : taste === null ? 'COLD_START' : 'PERSONALIZED',
    modelVersion: version && { id: version.id },
    variant: side && variantOf(side),
    attribution: {
      recommendationId,
      scenario: SCENARIO,
      versionId: version?.id ?? null,
      trial: side && { id: side.trial.id, arm: side.arm },
    },
    edges,
    pageInfo: () =>
      toPageInfo(endsOf(edges), { hasNextPage: whole.length > end, hasPreviousPage: page.after !== null }),
    timing: timing.end(),
  };
}

function variantOf({ arm, trial }: Side): NonNullable<Answer['variant']> {
  return { arm, sharePercent: arm === 'CANARY' ? trial.sharePercent : 100 - trial.sharePercent };
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
