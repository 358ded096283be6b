import type { Metrics } from '@kindred/service/metrics';
import { Counter } from 'prom-client';
import type { Admission } from './admission.ts';
import type { RecommendationStatus } from './generated/resolvers.ts';
import type { ResultCache } from './result-cache.ts';
import type { Serving } from './serving.ts';

/** What this subgraph shows of itself on /metrics beside every server's figures. */
export interface Figures {
  countAnswer(status: RecommendationStatus): void;
  countRefusal(): void;
  countRefusedQuestion(reason: 'queue' | 'deadline'): void;
  /** Adds these figures, and what the services hold. */
  show(metrics: Metrics, services: { serving: Serving; results: ResultCache; admission: Admission }): void;
}

export function createFigures(): Figures {
  const answers = new Counter({
    name: 'kindred_recommendations_total',
    help: 'Answers of recommend and similarItems, by how they came about.',
    labelNames: ['status'],
    registers: [],
  });
  const refusals = new Counter({
    name: 'kindred_versions_refused_total',
    help: 'Times that a version could not be loaded, so that what answered before went on.',
    registers: [],
  });
  const refusedQuestions = new Counter({
    name: 'kindred_recommendations_refused_total',
    help: 'Questions that were not taken on: too many were under way, or their time was over.',
    labelNames: ['reason'],
    registers: [],
  });
  return {
    countAnswer: (status) => answers.inc({ status }),
    countRefusal: () => refusals.inc(),
    countRefusedQuestion: (reason) => refusedQuestions.inc({ reason }),
    show(metrics, { serving, results, admission }) {
      const { registry } = metrics;
      registry.registerMetric(answers);
      registry.registerMetric(refusals);
      registry.registerMetric(refusedQuestions);
      const name = 'kindred_serving';
      const { held } = serving;
      metrics.addGauge({ name: `${name}_tenants`, help: 'Tenants in memory.', read: () => held().tenantCount });
      metrics.addGauge({
        name: `${name}_bytes`,
        help: 'About what their versions take.',
        read: () => held().sizeBytes,
      });
      metrics.addGauge({
        name: 'kindred_recommendations_under_way',
        help: 'Questions that are being answered.',
        read: () => admission.count,
      });
      metrics.addGauge({
        name: 'kindred_result_cache_hits',
        help: 'Rankings since the start that came from memory.',
        read: () => results.hitCount,
      });
      metrics.addGauge({
        name: 'kindred_result_cache_misses',
        help: 'Rankings since the start that could have come from memory and were made.',
        read: () => results.missCount,
      });
    },
  };
}
