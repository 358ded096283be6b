import type { IncomingMessage, ServerResponse } from 'node:http';
import { type FormatError, toFormattedError } from '@kindred/service/format-error';
import type { Metrics } from '@kindred/service/metrics';
import { answerOf } from '@kindred/service/request-pipeline';
import { currentTraceId, newTraceId, runInTrace } from '@kindred/service/trace';
import { type FormattedExecutionResult, GraphQLError } from 'graphql';
import { type Admitted, admitOperation, type Gate, isSubscription } from './admit-operation.ts';
import type { Authenticate } from './auth.ts';
import { type Chunk, PARTS_CONTENT_TYPE, writeParts } from './answer-parts.ts';
import { addressOf, type Caller } from './caller.ts';
import { Deadline, type OperationContext } from './context.ts';
import { corsHeaders } from './cors.ts';
import { HttpError } from './http-error.ts';
import { acceptsParts, type AnswerForm, answerForm, isJson } from './media-type.ts';
import { type Answering, answerInParts, answerWhole } from './operation-answers.ts';
import { readOperationRequest } from './operation-request.ts';
import type { Refusal } from './operations.ts';
import { rateHeaders, refusalHeaders } from './rate-limit/rate-headers.ts';
import { readBody } from './read-body.ts';

export interface OperationRouteOptions extends Answering {
  gate: Gate;
  authenticate: Authenticate;
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

/** What is not deferred first, and the rest as it comes. */
interface AnswerInParts {
  headers: Readonly<Record<string, string>>;
  chunks: AsyncGenerator<Chunk, undefined>;
  signal: AbortSignal;
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
  let answer: Answer | AnswerInParts;
  try {
    if (form === undefined) {
      throw new HttpError(406, 'BAD_REQUEST', 'Wanted `Accept: application/graphql-response+json`.');
    }
    answer = await answerRequest(options, req, res, form);
  } catch (error) {
    answer = failed(error, options.formatError);
  }
  if ('chunks' in answer) return await sendParts(options, res, { ...answer, headers: { ...cors, ...answer.headers } });
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

async function sendParts(
  { formatError }: OperationRouteOptions,
  res: ServerResponse,
  { headers, chunks, signal }: AnswerInParts,
): Promise<void> {
  try {
    res.writeHead(200, { 'content-type': PARTS_CONTENT_TYPE, 'cache-control': 'no-store', ...headers });
    await writeParts(res, chunks, signal);
  } catch (error) {
    // It is logged; that the answer has no end tells the client.
    toFormattedError(error, formatError);
    res.destroy();
  }
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
): Promise<Answer | AnswerInParts> {
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
  const operation = { admitted, request, context: contextOf(caller, res) };
  const isInParts = admitted.prepared.planned.deferred !== undefined && acceptsParts(req.headers.accept);
  const chunks = isInParts ? await answerInParts(options, operation) : undefined;
  if (chunks !== undefined) return { headers: rateHeadersOf(admitted), chunks, signal: operation.context.signal };
  const body = await answerWhole(options, operation);
  return { status: 200, headers: rateHeadersOf(admitted), body };
}

function rateHeadersOf({ charge }: Admitted): Readonly<Record<string, string>> {
  return rateHeaders({ policy: charge.policy, remaining: charge.remaining() });
}

const SUBSCRIBE_ELSEWHERE = new GraphQLError(
  'Subscriptions run over graphql-ws at /graphql or over SSE at POST /graphql/stream.',
  { extensions: { code: 'BAD_REQUEST' } },
);

function headerOf(req: IncomingMessage, name: string): string | undefined {
  const value = req.headers[name];
  return Array.isArray(value) ? value[0] : value;
}

function contextOf({ credential, address }: Caller, res: ServerResponse): OperationContext {
  const deadline = new Deadline();
  res.once('close', () => {
    if (!res.writableFinished) deadline.abort();
    deadline[Symbol.dispose]();
  });
  const { signal, deadlineAt } = deadline;
  return { viewer: credential.viewer, traceId: currentTraceId(), clientAddress: address, signal, deadlineAt };
}
