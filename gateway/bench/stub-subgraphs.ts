// Four subgraphs in one process that answer at once what they are asked for, and check nothing: what is left is the
// gateway's own work. With the argument `http` they have no channels.
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { serveChannels } from '@kindred/service/channel-server';
import { Kind, parse, type SelectionSetNode } from 'graphql';
import { SUBGRAPHS } from '../src/subgraphs.ts';

interface Request {
  query: string;
  variables?: {
    runId?: string;
    after?: number;
    first?: number;
    user?: string;
    representations?: { __typename: string; id: string }[];
  };
}

const ITEM_COUNT = 1_000;

const ENTITIES: Record<string, (id: string) => object> = {
  Item: (id) => ({ __typename: 'Item', title: `Film ${id}`, categories: ['Drama', 'Comedy'] }),
  ModelVersion: () => ({
    __typename: 'ModelVersion',
    number: 3,
    model: { __typename: 'Model', id: 'mdl_1', name: 'For you', tenant: { __typename: 'Tenant', id: 'tnt_1' } },
  }),
  Tenant: () => ({
    __typename: 'Tenant',
    name: 'Acme',
    catalog: { __typename: 'CatalogSummary', itemCount: ITEM_COUNT },
  }),
};

/** Each user gets a page of a catalogue of a thousand items that begins elsewhere. */
function firstItemOf(user: string): number {
  let number = 0;
  for (const character of user) number = (number * 31 + character.charCodeAt(0)) % ITEM_COUNT;
  return number;
}

/** What a subgraph could tell of its root fields, of which it tells what is selected. */
function rootOf(query: string, start: number): object {
  // As the tenant subgraph says it: without it no month can be counted, and the gateway asks again with every request.
  if (query.includes('tenantAllowance(')) return { tenantAllowance: { plan: 'SCALE', requests: 0, points: 0 } };
  if (query.includes('recordUsage(')) return { recordUsage: { entryCount: 1 } };
  if (query.includes('item(')) return { item: { title: 'Film 1' } };
  const first = Number(/first: ?(\d+)/.exec(query)?.[1] ?? 20);
  const edges = Array.from({ length: first }, (_, index) => ({
    rank: index + 1,
    score: 1 - index / 100,
    node: { __typename: 'Item', id: `itm_${(start + index) % ITEM_COUNT}` },
  }));
  const connection = { status: 'PERSONALIZED', modelVersion: { __typename: 'ModelVersion', id: 'ver_1' }, edges };
  return query.includes('similarItems') ? { similarItems: connection } : { recommend: connection };
}

let requests = 0;
let eventIntervalMs = 1_000;

interface Run {
  /** What was told so far. */
  told: string[];
  followers: Set<ServerResponse>;
}

const runs = new Map<string, Run>();

/** A run's events, one every interval, each with the time at which it was told; runs begin at different times, with who follows first. */
function startRun(runId: string): Run {
  const run: Run = { told: [], followers: new Set() };
  const model = { __typename: 'Model', name: 'For you', tenant: { __typename: 'Tenant', id: 'tnt_1' } };
  const tell = () => {
    const sequence = run.told.length + 1;
    const message = `${runId} ${performance.timeOrigin + performance.now()}`;
    const event = { data: { trainingProgress: { sequence, at: '2026-11-26T00:00:00Z', message, run: { model } } } };
    const text = `event: next\ndata: ${JSON.stringify(event)}\n\n`;
    run.told.push(text);
    for (const follower of run.followers) follower.write(text);
  };
  setTimeout(() => {
    tell();
    setInterval(tell, eventIntervalMs);
  }, Math.random() * eventIntervalMs);
  runs.set(runId, run);
  return run;
}

function stream(res: ServerResponse, { runId = '', after = 0 }: { runId?: string; after?: number }): void {
  res.writeHead(200, { 'content-type': 'text/event-stream' });
  const run = runs.get(runId) ?? startRun(runId);
  res.write(`:\n\n${run.told.slice(after).join('')}`);
  run.followers.add(res);
  res.once('close', () => run.followers.delete(res));
}

const publicKeys: object[] = [];

type Select = (value: unknown) => unknown;

/** Fields by name; of a fragment, those of whatever type it is for. */
function compileSelection({ selections }: SelectionSetNode): Select {
  const fields = new Map<string, Select>();
  const gather = (from: SelectionSetNode['selections']) => {
    for (const selection of from) {
      if (selection.kind === Kind.INLINE_FRAGMENT) gather(selection.selectionSet.selections);
      if (selection.kind !== Kind.FIELD) continue;
      const { name, selectionSet } = selection;
      fields.set(name.value, selectionSet === undefined ? (value) => value : compileSelection(selectionSet));
    }
  };
  gather(selections);
  const select: Select = (value) => {
    if (Array.isArray(value)) return value.map(select);
    if (typeof value !== 'object' || value === null) return value;
    const selected = Object.entries(value).flatMap(([name, inner]) => {
      const field = fields.get(name);
      return field === undefined ? [] : [[name, field(inner)] as const];
    });
    return Object.fromEntries(selected);
  };
  return select;
}

/** One query that gateways send: what was once written for it is not written again, so that a stub costs little. */
class StubQuery {
  readonly #query: string;
  readonly #select: Select;
  readonly #roots = new Map<number, string>();
  readonly #entities = new Map<string, string>();

  constructor(query: string) {
    this.#query = query;
    const [operation] = parse(query).definitions;
    if (operation?.kind !== Kind.OPERATION_DEFINITION) throw new Error(`Wanted an operation, got ${query}`);
    this.#select = compileSelection(operation.selectionSet);
  }

  answer({ user = '', representations }: NonNullable<Request['variables']>): string {
    if (representations !== undefined) {
      const texts = representations.map(({ __typename: type, id }) => this.#entityText(type, id));
      return `{"data":{"_entities":[${texts.join(',')}]}}`;
    }
    const start = firstItemOf(user);
    let text = this.#roots.get(start);
    if (text === undefined) {
      text = JSON.stringify({ data: this.#select(rootOf(this.#query, start)) });
      this.#roots.set(start, text);
    }
    return text;
  }

  #entityText(type: string, id: string): string {
    const key = `${type} ${id}`;
    let text = this.#entities.get(key);
    if (text === undefined) {
      const { _entities: entity } = this.#select({ _entities: ENTITIES[type]?.(id) }) as { _entities: object };
      text = JSON.stringify(entity);
      this.#entities.set(key, text);
    }
    return text;
  }
}

const queries = new Map<string, StubQuery>();

function answerLine(line: string): string {
  const { query, variables = {} } = JSON.parse(line) as Request;
  let stub = queries.get(query);
  if (stub === undefined) queries.set(query, (stub = new StubQuery(query)));
  return stub.answer(variables);
}

function answerBody(body: Buffer): string {
  return body.toString('utf8').split('\n').map(answerLine).join('\n');
}

function serveOnChannels(server: Server): void {
  serveChannels(server, {
    open: () => () => ({ viewer: { kind: 'system', scopes: [] }, clientAddress: null }),
    answer: ({ body }) => {
      requests += 1;
      return Promise.resolve({ status: 200, text: answerBody(body) });
    },
    observe: () => undefined,
  });
}

function startStub(): Promise<string> {
  const server = createServer((req, res) => {
    const chunks: Buffer[] = [];
    req.on('data', (chunk: Buffer) => void chunks.push(chunk));
    req.on('end', () => {
      const isQuery = req.method === 'POST';
      if (isQuery) requests += 1;
      if (req.url === '/graphql/stream') {
        const { variables } = JSON.parse(Buffer.concat(chunks).toString('utf8')) as Request;
        stream(res, variables ?? {});
        return;
      }
      const text = isQuery ? answerBody(Buffer.concat(chunks)) : JSON.stringify({ keys: publicKeys });
      res.writeHead(200, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) }).end(text);
    });
  });
  server.keepAliveTimeout = 60_000;
  if (process.argv[2] !== 'http') serveOnChannels(server);
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => resolve(`http://127.0.0.1:${(server.address() as AddressInfo).port}`));
  });
}

process.on('message', (message: { publicKey?: object; eventIntervalMs?: number }) => {
  eventIntervalMs = message.eventIntervalMs ?? eventIntervalMs;
  if (message.publicKey !== undefined) publicKeys.push(message.publicKey);
  const { user, system } = process.cpuUsage();
  process.send?.({ requests, cpuUs: user + system });
});
process.on('disconnect', () => process.exit());
const urls = await Promise.all(SUBGRAPHS.map(async (name) => [name, await startStub()] as const));
process.send?.({ urls: Object.fromEntries(urls) });
