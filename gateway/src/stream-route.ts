import { AppError } from '@kindred/domain/app-error';
import { writeEventStream } from '@kindred/service/event-stream';
import { currentTraceId } from '@kindred/service/trace';
import type { RequestHandler, Response } from 'express';
import type { FormattedExecutionResult } from 'graphql';
import type { Credential } from './auth.ts';
import { SUBSCRIPTION_REQUEST } from './subscription-planner.ts';
import type { Subscriptions } from './subscriptions.ts';

/** Serves subscriptions over Server-Sent Events: the graphql-sse protocol in its distinct connections mode. */
export function createStreamRoute(options: {
  subscriptions: Subscriptions;
  credentialOf: (res: Response) => Credential;
  draining: AbortSignal;
}): RequestHandler {
  const { subscriptions, credentialOf, draining } = options;
  return async (req, res) => {
    if (!req.accepts('text/event-stream')) throw new AppError('BAD_USER_INPUT', 'Wanted `Accept: text/event-stream`.');
    const request = SUBSCRIPTION_REQUEST.safeParse(req.body);
    if (!request.success) throw new AppError('BAD_USER_INPUT', 'Wanted a JSON object with `query`.');
    const planned = subscriptions.planner.plan(request.data);
    const results =
      'plan' in planned
        ? subscriptions.subscribe(planned, { credential: credentialOf(res), traceId: currentTraceId() })
        : only({ errors: planned.map((error) => error.toJSON()) });
    await writeEventStream(res, results, draining);
  };
}

async function* only(result: FormattedExecutionResult): AsyncGenerator<FormattedExecutionResult> {
  yield result;
}
