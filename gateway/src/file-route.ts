import { AppError } from '@kindred/domain/app-error';
import type { Viewer } from '@kindred/domain/viewer';
import { currentTraceId } from '@kindred/service/trace';
import type { RequestHandler, Response } from 'express';
import type { Gate } from './admit-operation.ts';
import type { Caller } from './caller.ts';
import { passAnswer } from './pass-answer.ts';
import type { SubgraphClient } from './subgraph-client.ts';
import type { SubgraphName } from './subgraphs.ts';

/** Where files are that go in and out beside the graph. */
export const FILE_SUBGRAPHS = ['catalog', 'model'] as const satisfies readonly SubgraphName[];

/** What a file costs, in points: a slow connection holds a subgraph's for long. */
const FILE_COST = 100;

/**
 * Passes a file on to the subgraph that takes or gives it, in either direction without holding it: GET and POST on
 * /files/<subgraph>/<path>, with the credential of any operation but a publishable key.
 */
export function createFileRoute(
  name: (typeof FILE_SUBGRAPHS)[number],
  options: { client: SubgraphClient; gate: Pick<Gate, 'limiter' | 'spending'>; callerOf: (res: Response) => Caller },
): RequestHandler {
  const { client, gate, callerOf } = options;
  return async (req, res) => {
    const { credential, address } = callerOf(res);
    const { viewer } = credential;
    if (!('tenantId' in viewer)) {
      throw new AppError('UNAUTHENTICATED', 'Files need a credential: send `Authorization: Bearer …` or `X-API-Key`.');
    }
    if (credential.publishedOnly) throw new AppError('FORBIDDEN', 'A publishable key sends and gets no files.');
    if (req.method !== 'GET' && req.method !== 'POST') throw new AppError('BAD_USER_INPUT', 'Wanted GET or POST.');
    await charge(gate, { viewer, address });
    const gone = new AbortController();
    res.once('close', () => gone.abort());
    const context = { viewer, clientAddress: address, traceId: currentTraceId(), signal: gone.signal };
    const path = `/files${req.path}`;
    const body = req.method === 'POST' ? req : null;
    const answer = await client.passFile(name, { method: req.method, path, body }, context);
    await passAnswer(res, answer);
  };
}

/** @throws RateLimitedError; QuotaExceededError */
async function charge(
  { limiter, spending: gate }: Pick<Gate, 'limiter' | 'spending'>,
  { viewer, address }: { viewer: Viewer; address: string },
): Promise<void> {
  const spending = await gate.begin(viewer);
  try {
    await limiter.charge({ viewer, address, plan: spending.plan }, FILE_COST, { failsClosed: false });
    await spending.take(FILE_COST);
  } catch (error) {
    spending.cancel();
    throw error;
  }
  spending.settle('file', { points: FILE_COST, recommendations: 0 });
}
