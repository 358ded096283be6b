import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Metrics } from '@kindred/service/metrics';
import { corsHeaders } from '../cors.ts';
import { CHECK_MS, createLoadLimit, type LoadLimit } from './load-limit.ts';

type Serve = (req: IncomingMessage, res: ServerResponse) => void;

const REFUSAL = JSON.stringify({
  errors: [{ message: 'There is too much to do now; try again.', extensions: { code: 'UNAVAILABLE' } }],
});
/** Those who are refused together do not come back together. */
const RETRY_AFTER_S = [1, 2, 3];

/** Sheds what the event loop does not keep up with, until it is stopped; shown by three gauges. Other transports share its `limit`. */
export function startShedding(serve: Serve, options: { metrics: Metrics; allowedOrigins: readonly string[] }) {
  const limit = createLoadLimit();
  const checking = setInterval(() => limit.check(), CHECK_MS).unref();
  addLoadGauges(options.metrics, limit);
  return { serve: shedLoad(serve, { ...options, limit }), limit, stop: () => clearInterval(checking) };
}

/** Serves what the limit lets in. The rest is told to come again, before its body or its credential is looked at. */
export function shedLoad(serve: Serve, options: { limit: LoadLimit; allowedOrigins: readonly string[] }): Serve {
  const { limit, allowedOrigins } = options;
  return (req, res) => {
    if (!limit.begin()) {
      refuse(res, corsHeaders(allowedOrigins, req.headers.origin), limit.stats().shed);
      return;
    }
    res.once('close', () => limit.end());
    serve(req, res);
  };
}

function refuse(res: ServerResponse, cors: Readonly<Record<string, string>>, number: number): void {
  const headers = {
    ...cors,
    'content-type': 'application/json; charset=utf-8',
    'content-length': REFUSAL.length,
    'cache-control': 'no-store',
    'retry-after': String(RETRY_AFTER_S[number % RETRY_AFTER_S.length]),
  };
  res.writeHead(503, headers).end(REFUSAL);
}

function addLoadGauges(metrics: Metrics, limit: LoadLimit): void {
  metrics.addGauge({
    name: 'kindred_gateway_operations_underway',
    help: 'Queries and mutations that are under way.',
    read: () => limit.stats().underWay,
  });
  metrics.addGauge({
    name: 'kindred_gateway_operations_limit',
    help: 'How many queries and mutations may be under way now, as the event loop keeps up.',
    read: () => limit.stats().limit,
  });
  metrics.addGauge({
    name: 'kindred_gateway_operations_shed',
    help: 'Queries and mutations since the start that were refused with 503 because there was too much to do.',
    read: () => limit.stats().shed,
  });
}
