import type { RequestHandler } from 'express';
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';

export interface Metrics {
  registry: Registry;
  /** Counts and times every request that passes it, by the route's own name, never by what the caller wrote. */
  middleware: RequestHandler;
  /** Counts and times a request that no route of express answers, once its answer has ended. */
  observe(request: { method: string; route: string; status: number; startedAt: number }): void;
  /** Shows a number that is read when the metrics are. */
  addGauge(gauge: { name: string; help: string; read: () => number }): void;
}

/** The metrics of one process in Prometheus form: its own, and those of the requests it serves. */
export function createMetrics(service: string): Metrics {
  const registry = new Registry();
  registry.setDefaultLabels({ service });
  collectDefaultMetrics({ register: registry });
  const labelNames = ['method', 'route', 'status'] as const;
  const requests = new Counter({
    name: 'kindred_http_requests_total',
    help: 'Requests answered, streams when they end.',
    labelNames,
    registers: [registry],
  });
  const durations = new Histogram({
    name: 'kindred_http_request_duration_seconds',
    help: 'Time from the request to the end of its answer.',
    labelNames,
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
    registers: [registry],
  });
  const observe: Metrics['observe'] = ({ method, route, status, startedAt }) => {
    const labels = { method, route, status: String(status) };
    requests.inc(labels);
    durations.observe(labels, (performance.now() - startedAt) / 1000);
  };
  const middleware: RequestHandler = (req, res, next) => {
    const startedAt = performance.now();
    res.once('close', () => {
      const route: unknown = req.route?.path;
      const name = typeof route === 'string' ? route : 'none';
      observe({ method: req.method, route: name, status: res.statusCode, startedAt });
    });
    next();
  };
  const addGauge: Metrics['addGauge'] = ({ name, help, read }) => {
    const gauge: Gauge = new Gauge({ name, help, registers: [], collect: () => gauge.set(read()) });
    registry.registerMetric(gauge);
  };
  return { registry, middleware, observe, addGauge };
}
