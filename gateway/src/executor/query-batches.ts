import type { Viewer } from '@kindred/domain/viewer';
import { atEndOfTurn } from '@kindred/service/end-of-turn';
import { joinLines, splitLines } from '@kindred/service/operation-lines';
import type { OperationContext } from '../context.ts';
import { failure, type SubgraphCall, type SubgraphClient, type TextAnswer } from '../subgraph-client.ts';
import { stopListening } from './stop-listening.ts';

/** So many requests of one lane may be under way before queries wait for one of them: nobody waits for an idle subgraph. */
const REQUESTS_AT_ONCE = 8;
/** While that many are under way the next one gathers, at most this long: a slow subgraph must not make its callers queue. */
const MAX_GATHER_MS = 2;
/** A request of this many is sent at once: its answers come together, and larger ones save little more. */
const MOST_QUERIES = 16;
/** A request this long is sent at once. */
const MAX_CHARS = 256 * 1024;

interface Reader {
  call: SubgraphCall;
  context: OperationContext;
  resolve(answer: TextAnswer): void;
  reject(error: unknown): void;
}

interface Batch {
  readers: Reader[];
  /** Those who still wait. */
  waiting: Set<Reader>;
  charCount: number;
  abort: AbortController;
}

/** What one viewer asks of one subgraph with one operation, whatever its variables. */
interface Lane {
  underWay: number;
  gathering: Batch | undefined;
  timer: NodeJS.Timeout | undefined;
  /** Called when it is empty. */
  forget: () => void;
}

/**
 * Sends queries of one operation that come in one turn of the event loop, or while others of it are under way, in one
 * request: its token, headers and connection serve them all. Only queries of one viewer, as one authentication gave it,
 * ever share a request, and each is answered by itself. Nobody joins a request that was sent.
 */
export class QueryBatches {
  readonly #client: Pick<SubgraphClient, 'send'>;
  /** By who asks, then by the operation. */
  readonly #lanes = new WeakMap<Viewer, Map<string, Lane>>();
  #savedCount = 0;

  constructor(client: Pick<SubgraphClient, 'send'>) {
    this.#client = client;
  }

  /** How many queries did not become a request of their own. */
  get savedCount(): number {
    return this.#savedCount;
  }

  /** @throws like `SubgraphClient.send` */
  send(call: SubgraphCall, operation: string, context: OperationContext): Promise<TextAnswer> {
    let lanes = this.#lanes.get(context.viewer);
    if (lanes === undefined) this.#lanes.set(context.viewer, (lanes = new Map()));
    let lane = lanes.get(operation);
    if (lane === undefined) {
      const forget = () => void lanes.delete(operation);
      lanes.set(operation, (lane = { underWay: 0, gathering: undefined, timer: undefined, forget }));
    }
    return this.#join(lane, { call, context });
  }

  #join(lane: Lane, { call, context }: Pick<Reader, 'call' | 'context'>): Promise<TextAnswer> {
    const { signal } = context;
    if (signal.aborted) return Promise.reject(failure(signal.reason, signal));
    const batch = lane.gathering ?? this.#gather(lane);
    return new Promise((resolve, reject) => {
      const leave = () => {
        batch.waiting.delete(reader);
        reject(failure(signal.reason, signal));
        if (batch.waiting.size === 0) batch.abort.abort(signal.reason);
      };
      const settle = stopListening(signal, leave);
      const reader: Reader = { call, context, resolve: settle(resolve), reject: settle(reject) };
      signal.addEventListener('abort', leave, { once: true });
      batch.readers.push(reader);
      batch.waiting.add(reader);
      batch.charCount += call.body.length;
      if (batch.readers.length >= MOST_QUERIES || batch.charCount >= MAX_CHARS) this.#flush(lane);
    });
  }

  #gather(lane: Lane): Batch {
    const batch: Batch = { readers: [], waiting: new Set(), charCount: 0, abort: new AbortController() };
    lane.gathering = batch;
    const flush = () => {
      if (lane.gathering === batch) this.#flush(lane);
    };
    if (lane.underWay < REQUESTS_AT_ONCE) atEndOfTurn(flush);
    else lane.timer = setTimeout(flush, MAX_GATHER_MS);
    return batch;
  }

  #flush(lane: Lane): void {
    const { gathering: batch } = lane;
    clearTimeout(lane.timer);
    lane.gathering = undefined;
    if (batch === undefined || batch.waiting.size === 0) {
      if (lane.underWay === 0) lane.forget();
      return;
    }
    const readers = [...batch.waiting];
    this.#savedCount += readers.length - 1;
    this.#follow(lane, this.#run(readers, batch.abort.signal));
  }

  /** The next request goes when one is back. */
  #follow(lane: Lane, answer: Promise<unknown>): void {
    lane.underWay += 1;
    const end = () => {
      lane.underWay -= 1;
      if (lane.gathering !== undefined) this.#flush(lane);
      else if (lane.underWay === 0) lane.forget();
    };
    answer.then(end, end);
  }

  async #run(readers: readonly Reader[], signal: AbortSignal): Promise<void> {
    try {
      const answers = await this.#sendAll(readers, signal);
      for (const [place, reader] of readers.entries()) {
        const answer = answers[place];
        if (answer === undefined) throw new Error(`${answers.length} of ${readers.length} queries were answered`);
        reader.resolve(answer);
      }
    } catch (error) {
      for (const reader of readers) reader.reject(error);
    }
  }

  async #sendAll(readers: readonly Reader[], signal: AbortSignal): Promise<readonly TextAnswer[]> {
    const [first] = readers;
    if (first === undefined) return [];
    const { call, context } = first;
    if (readers.length === 1) return [await this.#client.send(call, { ...context, signal })];
    const lines = joinLines(readers.map((reader) => reader.call.body));
    // The one who may wait longest decides; the gateway asks for all of them, from no one address.
    const deadlineAt = Math.max(...readers.map((reader) => reader.context.deadlineAt));
    const answer = await this.#client.send(
      { ...call, body: lines, hasLines: true },
      { ...context, deadlineAt, signal, clientAddress: undefined },
    );
    // Of a refusal each makes what it would make of its own.
    if (answer.statusCode !== 200) return readers.map(() => answer);
    return splitLines(answer.text).map((text) => ({ statusCode: 200, text }));
  }
}
