import { createServer } from 'node:http';
import type { Supergraph } from '@apollo/federation-internals';
import type { ServiceMap } from '@apollo/gateway';
import type { Viewer } from '@kindred/domain/viewer';
import { listen, type RunningServer } from '@kindred/service/http-server';
import { LruCache } from '@kindred/service/lru-cache';
import { joinLines, splitLines } from '@kindred/service/operation-lines';
import { newTraceId } from '@kindred/service/trace';
import {
  type DocumentNode,
  type ExecutionArgs,
  type ExecutionResult,
  getOperationAST,
  getVariableValues,
  print,
} from 'graphql';
import { createHandler } from 'graphql-http/lib/use/http';
import { Deadline, type OperationContext } from '../context.ts';
import { createDataSource } from '../data-sources.ts';
import { createExecutor, type Executor, type PlannedOperation } from '../executor/executor.ts';
import { createPlanOperation, type PlanOperation } from '../planning/plan-operation.ts';
import { failure, readAnswer, type SubgraphClient, type TextAnswer } from '../subgraph-client.ts';
import { buildSupergraph } from '../supergraph.ts';

const MOST_PLANS = 1_000;

type Send = SubgraphClient['send'];

/** Who asks is not known: fetches are batched as those of one caller. */
const EVERYBODY: Viewer = { kind: 'anonymous', scopes: [] };

/**
 * Serves any supergraph on POST /graphql, by the planner and the executor of this gateway and by nothing else of it: no
 * authentication, no limits, no subscriptions. Its subgraphs are asked at the URLs that it names.
 * @throws Error when the SDL is no supergraph; Error with code EADDRINUSE, ... when it cannot listen
 */
export async function startSupergraphServer(
  supergraphSdl: string,
  at: { host: string; port: number },
): Promise<RunningServer> {
  const supergraph = readSupergraph(supergraphSdl);
  const send = createSend(supergraph);
  const executor = createExecutor({ supergraph, client: { send }, dataSources: createServices(supergraph, send) });
  const execute = createExecute(executor, supergraph);
  const answer = createHandler({ schema: executor.schema, execute });
  const server = createServer((req, res) => {
    if (req.url?.split('?', 1)[0] === '/graphql') void answer(req, res);
    else res.writeHead(404).end('Operations are answered at /graphql.\n');
  });
  return await listen(server, at);
}

function readSupergraph(supergraphSdl: string): Supergraph {
  try {
    return buildSupergraph(supergraphSdl);
  } catch (cause) {
    // The first of what may be hundreds of errors.
    const [first] = (cause instanceof Error ? cause.message : String(cause)).split('\n\n', 1);
    throw new Error(`Wanted the SDL of a supergraph, as a composer writes it, and got another: ${first}`, { cause });
  }
}

/** Operations that this gateway would send to its own subgraphs in one request go one by one: others know of no such thing. */
function createSend(supergraph: Supergraph): Send {
  const urls = new Map([...supergraph.subgraphs().values()].map(({ name, url }) => [name, url]));
  return async ({ name, body, hasLines = false }, { signal }) => {
    const url = urls.get(name);
    if (url === undefined) throw new Error(`Wanted a subgraph of ${[...urls.keys()].join(', ')}, got "${name}"`);
    try {
      if (!hasLines) return await post(url, body, signal);
      const answers = await Promise.all(splitLines(body).map((line) => post(url, line, signal)));
      const lines = answers.map((answer) => JSON.stringify(readAnswer(name, answer)));
      return { statusCode: 200, text: joinLines(lines) };
    } catch (cause) {
      throw failure(cause, signal);
    }
  };
}

async function post(url: string, body: string, signal: AbortSignal): Promise<TextAnswer> {
  const headers = { 'content-type': 'application/json' };
  const response = await fetch(url, { method: 'POST', headers, body, signal });
  return { statusCode: response.status, text: await response.text() };
}

function createServices(supergraph: Supergraph, send: Send): ServiceMap {
  const sources = [...supergraph.subgraphs().names()].map((name) => [
    name,
    createDataSource(async (request, context) => {
      const call = { name, body: JSON.stringify(request), repeatable: false };
      return readAnswer(name, await send(call, context));
    }),
  ]);
  return Object.fromEntries(sources) as ServiceMap;
}

function createExecute(executor: Executor, supergraph: Supergraph) {
  const prepare = createPrepare(executor, createPlanOperation(supergraph));
  return async ({ document, operationName, variableValues }: ExecutionArgs): Promise<ExecutionResult> => {
    const node = getOperationAST(document, operationName);
    const variables = { ...variableValues };
    const { errors } = getVariableValues(executor.schema, node?.variableDefinitions ?? [], variables);
    if (errors !== undefined) return { errors };
    const planned = prepare(document, operationName ?? undefined);
    using deadline = new Deadline();
    const { signal, deadlineAt } = deadline;
    const context: OperationContext = { viewer: EVERYBODY, traceId: newTraceId(), signal, deadlineAt };
    return (await executor.execute(planned, { variables, context })).result;
  };
}

/** Plans each document once. */
function createPrepare(executor: Executor, planOperation: PlanOperation) {
  const plans = new LruCache<PlannedOperation>({ capacity: MOST_PLANS, maxWeight: MOST_PLANS });
  return (document: DocumentNode, operationName: string | undefined): PlannedOperation => {
    const key = `${operationName} ${print(document)}`;
    const known = plans.get(key);
    if (known !== undefined) return known;
    const planned = executor.prepare(document, operationName, planOperation(document, operationName));
    plans.set(key, planned, 1);
    return planned;
  };
}
