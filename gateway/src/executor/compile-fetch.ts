import type { FetchNode } from '@apollo/query-planner';
import { GraphQLError, OperationTypeNode } from 'graphql';
import type { GraphQLAnswer } from '../subgraph-client.ts';
import type { PlanCompilation } from './compile-plan.ts';
import { compilePlaces, type Places } from './entities.ts';
import { type JsonObject, mergeInto, TYPENAME } from './json.ts';
import type { EntitiesFetch, FetchTiming, Path, PlanRun, RunNode } from './plan-run.ts';
import type { Representation } from './representations.ts';
import { compileRewrites, type Rewrite } from './rewrites.ts';

const ENTITIES = '_entities';

/** A fetch as one function: its body is written already but for the variables. Failures become errors of the answer. */
export function compileFetch(node: FetchNode, path: Path, compilation: PlanCompilation): RunNode {
  const { types, representations } = compilation;
  const shareable = compilation.shareable && node.operationKind === OperationTypeNode.QUERY;
  const places = compilePlaces(path);
  const fetch: Fetch = {
    name: node.serviceName,
    path,
    places,
    operation: shareable ? `${node.serviceName} ${node.operation}` : undefined,
    head: `${JSON.stringify({ query: node.operation, operationName: node.operationName }).slice(0, -1)},"variables":{`,
    variables: (node.variableUsages ?? []).map((name) => ({ name, key: `${JSON.stringify(name)}:` })),
    isPrimary: node === compilation.primary,
    shareable,
    repeatable: node.operationKind === OperationTypeNode.QUERY,
    rewriteOutput: compileRewrites(node.outputRewrites, types),
  };
  const rewrite = compileRewrites(node.inputRewrites, types);
  const representation = node.requires && representations.of(node.requires, rewrite);
  const entitiesFetch = representation && { ...fetch, representation };
  return async (run) => {
    // Where the plan is at odds with what was fetched there is no answer at all, hence outside.
    const entities = places.entitiesIn(run.data);
    if (entities.length === 0) return;
    try {
      if (entitiesFetch === undefined) await fetchFields(fetch, run, entities);
      else await fetchEntities(entitiesFetch, run, entities);
    } catch (error) {
      run.errors.push(error instanceof Error ? error : new Error(String(error)));
    }
  };
}

interface Fetch {
  name: string;
  path: Path;
  places: Places;
  operation: string | undefined;
  head: string;
  variables: readonly { name: string; key: string }[];
  isPrimary: boolean;
  shareable: boolean;
  repeatable: boolean;
  rewriteOutput: Rewrite | undefined;
}

interface Representing {
  representation: Representation;
}

async function fetchFields(fetch: Fetch, run: PlanRun, entities: readonly JsonObject[]): Promise<void> {
  const { data, errors } = await send(fetch, run);
  if (errors !== undefined) {
    for (const error of errors)
      run.errors.push(toError(error, fetch.name, error.path && [...fetch.path, ...error.path]));
  }
  if (data === undefined || data === null) return;
  fetch.rewriteOutput?.(data);
  for (const entity of entities) mergeInto(entity, data);
}

async function fetchEntities(
  fetch: Fetch & Representing,
  run: PlanRun,
  entities: readonly JsonObject[],
): Promise<void> {
  const { keys, indexes } = keysOf(fetch, entities);
  if (keys.length === 0) return;
  const { data, errors } = await send(fetch, run, { representation: fetch.representation, keys });
  if (errors !== undefined) run.errors.push(...entityErrors(fetch, run, { errors, indexes }));
  if (data === undefined || data === null) return;
  const received = data[ENTITIES];
  if (!Array.isArray(received)) throw new Error('Expected "data._entities" in response to be an array');
  if (received.length !== keys.length) throw new Error(`Expected "data._entities" to contain ${keys.length} elements`);
  let seenCount = 0;
  for (let place = 0; place < entities.length; place++) {
    const index = indexes[place];
    const entity = entities[place];
    const addition = index === undefined ? null : received[index];
    if (index === undefined || entity === undefined || addition === null) continue;
    // Keys are numbered in the order in which entities need them first.
    if (index >= seenCount) {
      seenCount = index + 1;
      if (!addition[TYPENAME]) addition[TYPENAME] = entity[TYPENAME];
      fetch.rewriteOutput?.(addition);
    }
    mergeInto(entity, addition);
  }
}

/** Each distinct key once, and the index of each entity's own; undefined for one that has none. */
function keysOf({ representation }: Representing, entities: readonly JsonObject[]) {
  const keys: string[] = [];
  const indexes: (number | undefined)[] = [];
  const known = new Map<string, number>();
  for (const entity of entities) {
    const key = representation.keyOf(entity);
    let index = key === null ? undefined : known.get(key);
    if (key !== null && index === undefined) {
      index = keys.push(key) - 1;
      known.set(key, index);
    }
    indexes.push(index);
  }
  return { keys, indexes };
}

/** The entities that a fetch asks for. */
type Asked = Pick<EntitiesFetch, 'representation' | 'keys'>;

function send(fetch: Fetch, run: PlanRun, asked?: Asked): Promise<GraphQLAnswer> {
  if (fetch.isPrimary && run.event !== undefined) return Promise.resolve(run.event);
  const answer = sendNow(fetch, run, asked);
  return run.timings === undefined ? answer : timed(answer, { fetch, timings: run.timings, run, asked });
}

function sendNow(fetch: Fetch, run: PlanRun, asked?: Asked): Promise<GraphQLAnswer> {
  const { name, operation, shareable, repeatable } = fetch;
  const body = writeVariables(fetch, run.variables, asked !== undefined);
  if (asked === undefined) {
    return run.fetches.fields({ name, body: `${body}}}`, operation, shareable, repeatable }, run.context);
  }
  return run.fetches.entities({ name, body, shareable, repeatable, ...asked }, run.context);
}

async function timed(
  answer: Promise<GraphQLAnswer>,
  { fetch, timings, run, asked }: { fetch: Fetch; timings: FetchTiming[]; run: PlanRun; asked: Asked | undefined },
): Promise<GraphQLAnswer> {
  const startedAt = performance.now();
  try {
    return await answer;
  } finally {
    timings.push({
      subgraph: fetch.name,
      path: fetch.path,
      startMs: startedAt - run.startedAt,
      durationMs: performance.now() - startedAt,
      entityCount: asked?.keys.length ?? null,
    });
  }
}

/** The body up to its end, or up to where representations follow. */
function writeVariables({ head, variables }: Fetch, given: JsonObject, isContinued: boolean): string {
  let body = head;
  let separator = '';
  for (const { name, key } of variables) {
    const value = Object.hasOwn(given, name) ? given[name] : undefined;
    if (value === undefined) continue;
    body += separator + key + JSON.stringify(value);
    separator = ',';
  }
  return isContinued ? body + separator : body;
}

type AnswerError = NonNullable<GraphQLAnswer['errors']>[number];

/** An error of an entity is an error of every place where this entity stands in the answer. */
function entityErrors(
  { name, path, places }: Fetch,
  run: PlanRun,
  { errors, indexes }: { errors: readonly AnswerError[]; indexes: readonly (number | undefined)[] },
): GraphQLError[] {
  let paths: Path[] | undefined;
  return errors.flatMap((error) => {
    const index = error.path?.[1];
    if (typeof index !== 'number') return [toError(error, name, error.path && [...path, ...error.path])];
    paths ??= places.pathsIn(run.data);
    const below = error.path?.slice(2) ?? [];
    const own = paths.filter((_path, place) => indexes[place] === index);
    return own.map((at) => toError(error, name, [...at, ...below]));
  });
}

function toError({ message, extensions }: AnswerError, serviceName: string, path: Path | undefined): GraphQLError {
  return new GraphQLError(message || `Error while fetching subquery from service "${serviceName}"`, {
    path: path ?? null,
    extensions: { ...extensions, code: extensions?.code ?? 'DOWNSTREAM_SERVICE_ERROR', serviceName },
  });
}
