import { AppError } from '@kindred/domain/app-error';
import { writeEventStream } from '@kindred/service/event-stream';
import { currentTraceId } from '@kindred/service/trace';
import type { RequestHandler, Response } from 'express';
import type { Caller } from './caller.ts';
import type { ConnectionLimits } from './connection-limits.ts';
import { HttpError } from './http-error.ts';
import { type OperationRequest, readOperationObject } from './operation-request.ts';
import { iterate } from './operation-results.ts';
import { acceptsPartsInStream, acceptsStream } from './media-type.ts';
import type { StreamedOperations } from './streamed-operations.ts';

/** Serves subscriptions and queries over Server-Sent Events: the graphql-sse protocol in its distinct connections mode. */
export function createStreamRoute(options: {
  operations: StreamedOperations;
  connections: ConnectionLimits;
  callerOf: (res: Response) => Caller;
  draining: AbortSignal;
}): RequestHandler {
  const { operations, connections, callerOf, draining } = options;
  return async (req, res) => {
    const accept = req.get('accept');
    if (!acceptsStream(accept)) throw new AppError('BAD_USER_INPUT', 'Wanted `Accept: text/event-stream`.');
    const caller = callerOf(res);
    const giveBack = connections.take(caller);
    if (giveBack === undefined) throw new AppError('RATE_LIMITED', 'Too many connections are open; close some.');
    try {
      const acceptsParts = acceptsPartsInStream(accept);
      const admitted = await operations.admit({ request: readStreamRequest(req.body), caller, acceptsParts });
      const consumer = { credential: caller.credential, traceId: currentTraceId(), isWatched: false };
      const results =
        'open' in admitted ? iterate(admitted.open(consumer)) : only(JSON.stringify({ errors: admitted }));
      await writeEventStream(res, results, draining);
    } finally {
      giveBack();
    }
  };
}

async function* only(result: string): AsyncGenerator<string> {
  yield result;
}

/** What a POST asks for. @throws AppError BAD_USER_INPUT that says what is not as wanted */
export function readStreamRequest(body: unknown): OperationRequest {
  try {
    return readOperationObject(body);
  } catch (error) {
    if (error instanceof HttpError) throw new AppError('BAD_USER_INPUT', error.message, { cause: error });
    throw error;
  }
}
