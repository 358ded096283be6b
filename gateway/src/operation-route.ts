import type { IncomingMessage, ServerResponse } from 'node:http';
import { type FormatError, toFormattedError } from '@kindred/service/format-error';
import type { Metrics } from '@kindred/service/metrics';
import { answerOf } from '@kindred/service/request-pipeline';
import { currentTraceId, newTraceId, runInTrace } from '@kindred/service/trace';
import { type FormattedExecutionResult, GraphQLError } from 'graphql';
import { type Admitted, admitOperation, type Gate, isSubscription } from './admit-operation.ts';
import type { Authenticate } from './auth.ts';
import { addressOf, type Caller } from './caller.ts';
import { type OperationContext, startDeadline } from './context.ts';
import { corsHeaders } from './cors.ts';
import type { Executor } from './executor/executor.ts';
import type { FetchTiming } from './executor/plan-run.ts';
import { HttpError } from './http-error.ts';
import { capErrors } from './limits.ts';
import { type AnswerForm, answerForm, isJson } from './media-type.ts';
import { type OperationRequest, readOperationRequest } from './operation-request.ts';
import { actualCost } from './operation-cost.ts';
import type { Refusal } from './operations.ts';
import { rateHeaders, refusalHeaders } from './rate-limit/rate-headers.ts';
import { readBody } from './read-body.ts';

export interface OperationRouteOptions {
  gate: Gate;
  executor: Executor;
  authenticate: Authenticate;
  formatError: FormatError;
  allowedOrigins: readonly string[];
  trustedProxies: number;
  metrics: Pick<Metrics, 'observe'>;
}

// 5,000 items with their properties, the most that one upsertItems takes.
const MAX_BODY_BYTES = 8 * 1024 * 1024;

interface Answer {
  status: number;
  body: FormattedExecutionResult;
  headers?: Readonly<Record<string, string>>;
}

/** Serves queries and mutations on POST /graphql (GraphQL over HTTP). */
export function createOperationRoute(
  options: OperationRouteOptions,
): (req: IncomingMessage, res: ServerResponse) => void {
  return (req, res) => {
    const startedAt = performance.now();
    const { method = '' } = req;
    res.once('close', () => options.metrics.observe({ method, route: '/graphql', status: res.statusCode, startedAt }));
    // The trace begins here: what a client sends as a trace, or as any internal header, is never read.
    runInTrace(newTraceId(), () => void serve(options, req, res));
  };
}

async function serve(options: OperationRouteOptions, req: IncomingMessage, res: ServerResponse): Promise<void> {
  const form = answerForm(req.headers.accept);
  const cors = corsHeaders(options.allowedOrigins, req.headers.origin);
  let answer: Answer;
  try {
    if (form === undefined) {
      throw new HttpError(406, 'BAD_REQUEST', 'Wanted `Accept: application/graphql-response+json`.');
    }
    answer = await answerRequest(options, req, res, form);
  } catch (error) {
    answer = failed(error, options.formatError);
  }
  if (res.destroyed) return;
  const text = JSON.stringify(answer.body);
  res
    .writeHead(answer.status, {
      ...cors,
      'content-type': (form ?? DEFAULT_FORM).contentType,
      'content-length': Buffer.byteLength(text),
      'cache-control': 'no-store',
      ...answer.headers,
    })
    .end(text);
}

const DEFAULT_FORM: Pick<AnswerForm, 'contentType'> = { contentType: 'application/json; charset=utf-8' };

function failed(error: unknown, formatError: FormatError): Answer {
  if (error instanceof HttpError) {
    const { status, code, message, headers } = error;
    return { status, headers, body: { errors: [{ message, extensions: { code } }] } };
  }
  return { ...answerOf(error, formatError), headers: refusalHeaders(error) };
}

// oxlint-disable-next-line max-params -- one request
async function answerRequest(
  options: OperationRouteOptions,
  req: IncomingMessage,
  res: ServerResponse,
  form: AnswerForm,
): Promise<Answer> {
  if (!isJson(req.headers['content-type'])) {
    throw new HttpError(415, 'BAD_REQUEST', 'Wanted `Content-Type: application/json` in UTF-8.');
  }
  const credential = await options.authenticate({
    authorization: req.headers.authorization,
    apiKey: headerOf(req, 'x-api-key'),
    origin: req.headers.origin,
  });
  const request = readOperationRequest(await readBody(req, MAX_BODY_BYTES));
  const refuse = (errors: Refusal): Answer => ({
    status: form.isLegacy ? 200 : 400,
    body: { errors: errors.map((error) => toFormattedError(error, options.formatError)) },
  });
  const caller = { credential, address: addressOf(req, options.trustedProxies) };
  const admitted = await admitOperation(options.gate, request, caller);
  if (!('prepared' in admitted)) return refuse(admitted);
  if (isSubscription(admitted.prepared)) {
    admitted.spending.cancel();
    return refuse([SUBSCRIBE_ELSEWHERE]);
  }
  return await run(options, { admitted, request, context: contextOf(caller, res) });
}

const SUBSCRIBE_ELSEWHERE = new GraphQLError(
  'Subscriptions run over graphql-ws at /graphql or over SSE at POST /graphql/stream.',
  { extensions: { code: 'BAD_REQUEST' } },
);

async function run(
  { executor, formatError }: OperationRouteOptions,
  { admitted, request, context }: { admitted: Admitted; request: OperationRequest; context: OperationContext },
): Promise<Answer> {
  const { prepared, cost, charge, spending } = admitted;
  const timings: FetchTiming[] | undefined = request.extensions.timing === true ? [] : undefined;
  const startedAt = performance.now();
  const used = { points: cost, recommendations: 0 };
  let executed: Awaited<ReturnType<Executor['execute']>>;
  try {
    executed = await executor.execute(prepared.planned, { variables: request.variables, context, timings });
    used.points = Math.min(cost, actualCost(prepared.node, executed.objectCount) ?? cost);
    if (executed.result.data) used.recommendations = prepared.recommendations;
  } finally {
    spending.settle(prepared.node.operation.toUpperCase(), used);
  }
  const actual = used.points;
  charge.refund(cost - actual);
  const remaining = charge.remaining();
  const { data = null, errors, extensions } = capErrors(executed.result);
  return {
    status: 200,
    headers: rateHeaders({ policy: charge.policy, remaining }),
    body: {
      ...(errors && { errors: errors.map((error) => toFormattedError(error, formatError)) }),
      data,
      extensions: {
        ...extensions,
        cost: { requested: cost, actual, remaining },
        ...(timings && { timing: { totalMs: performance.now() - startedAt, fetches: timings } }),
      },
    },
  };
}

function headerOf(req: IncomingMessage, name: string): string | undefined {
  const value = req.headers[name];
  return Array.isArray(value) ? value[0] : value;
}

function contextOf({ credential, address }: Caller, res: ServerResponse): OperationContext {
  const gone = new AbortController();
  const deadline = startDeadline(gone.signal);
  res.once('close', () => {
    if (!res.writableFinished) gone.abort();
    deadline[Symbol.dispose]();
  });
  const { signal, deadlineAt } = deadline;
  return { viewer: credential.viewer, traceId: currentTraceId(), clientAddress: address, signal, deadlineAt };
}
