import { atEndOfTurn } from '@kindred/service/end-of-turn';
import type { OperationContext } from '../context.ts';
import { failure, type GraphQLAnswer } from '../subgraph-client.ts';
import { copyOf, isObject } from './json.ts';
import type { EntitiesFetch, FieldsFetch } from './plan-run.ts';
import type { Representation } from './representations.ts';
import { stopListening } from './stop-listening.ts';
import { scopeOf } from './viewer-scope.ts';

export type SendBatch = (fetch: FieldsFetch, context: OperationContext) => Promise<GraphQLAnswer>;

/** So many batches of one lane may be under way before the next one waits for one of them. */
const BATCHES_AT_ONCE = 8;
/** While that many are under way the next one gathers, at most this long: a slow subgraph must not make its callers queue. */
const MAX_GATHER_MS = 2;
/** A batch this large is sent at once. A page has at most 100 entities. */
const MAX_ENTITIES = 500;

const ENTITIES = '_entities';

interface Reader {
  /** Where its entities stand in the batch. */
  positions: number[];
  fetch: EntitiesFetch;
  context: OperationContext;
  resolve(answer: GraphQLAnswer): void;
  reject(error: unknown): void;
}

interface Batch {
  /** The place of each key. */
  indexes: Map<string, number>;
  readers: Set<Reader>;
  abort: AbortController;
}

/** What is asked of one subgraph with one operation and one representation by one scope. */
interface Lane {
  underWay: number;
  gathering: Batch | undefined;
  timer: NodeJS.Timeout | undefined;
  /** Called when it is empty. */
  forget: () => void;
}

/**
 * Asks a subgraph once for the entities that many executions need at the same time: those of one tick, and those that
 * come while the batch before is under way. Only executions of the same tenant and credential, with the same operation
 * and variables, ever meet in a batch. Nobody joins a batch that was sent.
 */
export class EntityBatches {
  readonly #send: SendBatch;
  /** By subgraph and representation, then by who asks, then by the operation with its variables: strings whose hashes are known. */
  readonly #lanes = new Map<string, WeakMap<Representation, Map<string, Map<string, Lane>>>>();
  #savedCount = 0;

  constructor(send: SendBatch) {
    this.#send = send;
  }

  /** How many fetches did not become a request of their own. */
  get savedCount(): number {
    return this.#savedCount;
  }

  get(fetch: EntitiesFetch, context: OperationContext): Promise<GraphQLAnswer> {
    const { signal } = context;
    if (signal.aborted) return Promise.reject(failure(signal.reason, signal));
    return this.#join(this.#laneOf(fetch, context), { fetch, context });
  }

  #laneOf({ name, shareable, body, representation }: EntitiesFetch, { viewer }: OperationContext): Lane {
    const subgraph = shareable ? name : `${name} alone`;
    const scope = scopeOf(viewer);
    let byRepresentation = this.#lanes.get(subgraph);
    if (byRepresentation === undefined) this.#lanes.set(subgraph, (byRepresentation = new WeakMap()));
    let byScope = byRepresentation.get(representation);
    if (byScope === undefined) byRepresentation.set(representation, (byScope = new Map()));
    let lanes = byScope.get(scope);
    if (lanes === undefined) byScope.set(scope, (lanes = new Map()));
    let lane = lanes.get(body);
    if (lane === undefined) {
      const forget = () => {
        lanes.delete(body);
        if (lanes.size === 0) byScope.delete(scope);
      };
      lanes.set(body, (lane = { underWay: 0, gathering: undefined, timer: undefined, forget }));
    }
    return lane;
  }

  #join(lane: Lane, { fetch, context }: Pick<Reader, 'fetch' | 'context'>): Promise<GraphQLAnswer> {
    const batch = lane.gathering ?? this.#gather(lane);
    return new Promise((resolve, reject) => {
      const leave = () => {
        batch.readers.delete(reader);
        reject(failure(context.signal.reason, context.signal));
        if (batch.readers.size === 0) batch.abort.abort(context.signal.reason);
      };
      const settle = stopListening(context.signal, leave);
      const positions = fetch.keys.map((key) => add(batch, key));
      const reader: Reader = { positions, fetch, context, resolve: settle(resolve), reject: settle(reject) };
      batch.readers.add(reader);
      context.signal.addEventListener('abort', leave, { once: true });
      if (batch.indexes.size >= MAX_ENTITIES) this.#flush(lane);
    });
  }

  #gather(lane: Lane): Batch {
    const batch: Batch = { indexes: new Map(), readers: new Set(), abort: new AbortController() };
    lane.gathering = batch;
    const flush = () => {
      if (lane.gathering === batch) this.#flush(lane);
    };
    if (lane.underWay < BATCHES_AT_ONCE) atEndOfTurn(flush);
    else lane.timer = setTimeout(flush, MAX_GATHER_MS);
    return batch;
  }

  #flush(lane: Lane): void {
    const { gathering: batch } = lane;
    clearTimeout(lane.timer);
    lane.gathering = undefined;
    if (batch === undefined || batch.readers.size === 0) {
      forgetEmpty(lane);
      return;
    }
    lane.underWay += 1;
    this.#savedCount += batch.readers.size - 1;
    void this.#run(batch).finally(() => {
      lane.underWay -= 1;
      if (lane.gathering !== undefined) this.#flush(lane);
      else forgetEmpty(lane);
    });
  }

  async #run(batch: Batch): Promise<void> {
    const [first] = batch.readers;
    if (first === undefined) return;
    try {
      const answer = await this.#sendAll(batch, first);
      if (batch.readers.size > 1 && !isObject(answer.data)) await this.#runAlone(batch);
      else hand(batch, answer);
    } catch (error) {
      for (const reader of batch.readers) reader.reject(error);
    }
  }

  #sendAll({ indexes, readers, abort }: Batch, { fetch, context }: Reader): Promise<GraphQLAnswer> {
    const deadlineAt = Math.max(...Array.from(readers, (reader) => reader.context.deadlineAt));
    return this.#send(close(fetch, [...indexes.keys()]), { ...context, deadlineAt, signal: abort.signal });
  }

  /** An answer without data says of one representation what then is said of all: each reader asks for its own. */
  async #runAlone({ readers }: Batch): Promise<void> {
    const alone = async (reader: Reader): Promise<void> => {
      const { fetch, context } = reader;
      try {
        reader.resolve(await this.#send(close(fetch, fetch.keys), context));
      } catch (error) {
        reader.reject(error);
      }
    };
    await Promise.all(Array.from(readers, alone));
  }
}

function forgetEmpty({ underWay, gathering, forget }: Lane): void {
  if (underWay === 0 && gathering === undefined) forget();
}

function add({ indexes }: Batch, key: string): number {
  const known = indexes.get(key);
  if (known !== undefined) return known;
  const index = indexes.size;
  indexes.set(key, index);
  return index;
}

function close({ body, ...fetch }: EntitiesFetch, keys: readonly string[]): FieldsFetch {
  const representations = keys.map(fetch.representation.write).join(',');
  return { ...fetch, body: `${body}"representations":[${representations}]}}` };
}

/** Gives each reader its own part. What several readers get is copied: an execution changes what it is given. */
function hand({ readers, indexes }: Batch, answer: GraphQLAnswer): void {
  const entities = answer.data?.[ENTITIES];
  // Where it is at odds with what was asked, whoever reads it says so.
  if (readers.size === 1 || !Array.isArray(entities) || entities.length !== indexes.size) {
    for (const reader of readers) reader.resolve(answer);
    return;
  }
  const taken = new Set<number>();
  for (const reader of readers) {
    const own = reader.positions.map((position): unknown => {
      const entity: unknown = entities[position];
      if (!taken.has(position)) {
        taken.add(position);
        return entity;
      }
      return copyOf(entity);
    });
    const errors = answer.errors && errorsFor(reader, answer.errors);
    reader.resolve({ data: { [ENTITIES]: own }, ...(errors !== undefined && errors.length > 0 && { errors }) });
  }
}

function errorsFor({ positions }: Reader, errors: NonNullable<GraphQLAnswer['errors']>) {
  return errors.flatMap((error) => {
    const [field, position, ...below] = error.path ?? [];
    if (field === undefined || typeof position !== 'number') return [error];
    const index = positions.indexOf(position);
    return index < 0 ? [] : [{ ...error, path: [field, index, ...below] }];
  });
}
