import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Logger } from '@kindred/service/logger';
import type { Metrics } from '@kindred/service/metrics';
import { EarlyRefusals } from './early-refusals.ts';
import { CHECK_MS, createLoadLimit, type LoadLimit } from './load-limit.ts';
import { refusalFor } from './refusal.ts';
import { loadRefusalsAddon } from './refusals-addon.ts';

type Serve = (req: IncomingMessage, res: ServerResponse) => void;

interface SheddingOptions {
  metrics: Metrics;
  allowedOrigins: readonly string[];
  logger: Logger;
}

interface ShedOptions {
  limit: LoadLimit;
  /** Refuses without having it parsed, where it is there. */
  early?: EarlyRefusals | undefined;
  allowedOrigins: readonly string[];
}

/** Sheds what the event loop does not keep up with, until it is stopped; shown by three gauges. Other transports share its `limit`. */
export function startShedding(serve: Serve, options: SheddingOptions) {
  const early = createEarlyRefusals(options);
  const limit = createLoadLimit({ ...(early && { doorkeeper: early }) });
  const check = () => {
    limit.check();
    early?.refresh();
  };
  const checking = setInterval(check, CHECK_MS).unref();
  addLoadGauges(options.metrics, limit);
  return { serve: shedLoad(serve, { ...options, limit, early }), limit, stop: () => clearInterval(checking) };
}

/**
 * Serves what the limit lets in. The rest is told to come again, before its body or its credential is looked at; where
 * something was refused before on the same connection, before it is parsed.
 */
export function shedLoad(serve: Serve, { limit, early, allowedOrigins }: ShedOptions): Serve {
  return (req, res) => {
    const isCounted = early?.note(req, res) ?? false;
    if (!limit.begin(isCounted ? undefined : req.socket)) {
      const { status, headers, body } = refusalFor(allowedOrigins, req.headers.origin, limit.stats().shed);
      res.writeHead(status, headers).end(body);
      early?.watch(req, res);
      return;
    }
    res.once('close', () => limit.end());
    serve(req, res);
  };
}

function createEarlyRefusals({ allowedOrigins, logger }: SheddingOptions): EarlyRefusals | undefined {
  const state = loadRefusalsAddon();
  if (state.addon !== null) return new EarlyRefusals(state.addon, allowedOrigins);
  logger.warn({ reason: state.reason }, 'What comes past the peak is refused after it was parsed, which takes longer');
  return undefined;
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
