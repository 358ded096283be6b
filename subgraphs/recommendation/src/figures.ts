import type { Metrics } from '@kindred/service/metrics';
import { Counter } from 'prom-client';
import type { RecommendationStatus } from './generated/resolvers.ts';
import type { Serving } from './serving.ts';

/** What this subgraph shows of itself on /metrics beside every server's figures. */
export interface Figures {
  countAnswer(status: RecommendationStatus): void;
  countRefusal(): void;
  /** Adds these figures, and what `serving` holds. */
  show(metrics: Metrics, serving: Serving): void;
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
  return {
    countAnswer: (status) => answers.inc({ status }),
    countRefusal: () => refusals.inc(),
    show(metrics, serving) {
      const { registry } = metrics;
      registry.registerMetric(answers);
      registry.registerMetric(refusals);
      const name = 'kindred_serving';
      const { held } = serving;
      metrics.addGauge({ name: `${name}_tenants`, help: 'Tenants in memory.', read: () => held().tenantCount });
      metrics.addGauge({
        name: `${name}_bytes`,
        help: 'About what their versions take.',
        read: () => held().sizeBytes,
      });
    },
  };
}
