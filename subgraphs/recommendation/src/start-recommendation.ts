import { readFile } from 'node:fs/promises';
import { type RunningServer, startSubgraph, type SubgraphOptions } from '@kindred/service/subgraph-server';
import type { UserHistories } from '@kindred/service/user-histories';
import { type AdmissionOptions, createAdmission } from './admission.ts';
import { startCanaryTally } from './canary-tally.ts';
import type { RecommendationContext } from './context.ts';
import { createFigures } from './figures.ts';
import { followErasures } from './follow-erasures.ts';
import { createHistoryReader } from './read-history.ts';
import { resolvers } from './resolvers.ts';
import { ResultCache } from './result-cache.ts';
import { createServing, type ServingOptions } from './serving.ts';

export interface RecommendationOptions extends Omit<ServingOptions, 'figures'> {
  histories: UserHistories;
  env: SubgraphOptions<RecommendationContext>['env'];
  /** What rankings in memory may take; 0 keeps none. */
  resultCacheBytes?: number;
  /** More questions than this are not taken on at once. */
  mostQuestions?: number;
}

const RESULT_CACHE_BYTES = 64 * 2 ** 20;
/** At 1,000 answers a second the last one of so many waits half a second. */
const MOST_QUESTIONS = 512;

/** Serves the recommendation subgraph over a database, an object store, an event bus and histories that stay their caller's to close. */
export async function startRecommendation(options: RecommendationOptions): Promise<RunningServer> {
  const { db, logger, env, histories, now = () => performance.now() } = options;
  const { resultCacheBytes = RESULT_CACHE_BYTES, mostQuestions = MOST_QUESTIONS } = options;
  const figures = createFigures();
  const serving = createServing({ ...options, figures });
  const results = new ResultCache({ maxBytes: resultCacheBytes });
  const onRefusal: AdmissionOptions['onRefusal'] = (reason) => figures.countRefusedQuestion(reason);
  const admission = createAdmission({ mostQuestions, now, onRefusal });
  const canaries = startCanaryTally(options);
  const historyReader = createHistoryReader({ db, histories, logger });
  const attributionSecret = env.internalTokenSecret;
  const services = { db, serving, results, admission, figures, historyReader, canaries, attributionSecret };
  const stopErasures = followErasures({ ...services, events: options.events, logger });
  const server = await startSubgraph<RecommendationContext>({
    name: 'recommendation',
    typeDefs: await readFile(new URL('../schema.graphql', import.meta.url), 'utf8'),
    resolvers,
    env,
    logger,
    createContext: (viewer, { deadlineAt }) => ({ ...services, viewer, deadlineAt }),
    // Not Redis and not the object store: what is in memory answers without them.
    readiness: { postgres: () => db.ping() },
    addMetrics: (metrics) => figures.show(metrics, services),
  });
  return {
    ...server,
    drain: async () => {
      stopErasures();
      await server.drain();
      await canaries[Symbol.asyncDispose]();
      await serving.close();
    },
  };
}
