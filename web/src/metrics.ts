import type { IncomingMessage, ServerResponse } from 'node:http';
import { collectDefaultMetrics, Histogram, Registry } from 'prom-client';

export interface WebMetrics {
  /** Measures one page request until its response ends. */
  observe(request: IncomingMessage, response: ServerResponse): void;
  /** Answers a scrape in the Prometheus text format. */
  answer(response: ServerResponse): Promise<void>;
}

export function createMetrics(): WebMetrics {
  const registry = new Registry();
  registry.setDefaultLabels({ service: 'web' });
  collectDefaultMetrics({ register: registry });
  const duration = new Histogram({
    name: 'http_request_duration_seconds',
    help: 'How long a page request took.',
    labelNames: ['method', 'status'],
    buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5],
    registers: [registry],
  });
  return {
    observe(request, response) {
      const stop = duration.startTimer({ method: request.method ?? 'GET' });
      response.once('close', () => stop({ status: response.statusCode }));
    },
    async answer(response) {
      try {
        response.setHeader('content-type', registry.contentType);
        response.end(await registry.metrics());
      } catch (cause) {
        response.destroy(cause instanceof Error ? cause : new Error('metrics failed', { cause }));
      }
    },
  };
}
