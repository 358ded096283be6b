import type { Viewer } from '@kindred/domain/viewer';
import { joinLines, MOST_LINES, splitLines } from '@kindred/service/operation-lines';
import type { OperationContext } from '../context.ts';
import { failure, type SubgraphCall, type SubgraphClient, type TextAnswer } from '../subgraph-client.ts';

/** So many requests of one lane are under way before queries begin to wait for each other: nobody waits for an idle subgraph. */
const REQUESTS_AT_ONCE = 3;
/** While that many are under way the next one gathers, at most this long: a slow subgraph must not make its callers queue. */
const MAX_GATHER_MS = 2;
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
}

/**
 * Sends queries of one operation that come while others of it are under way in one request: its token, headers and
 * connection serve them all. Only queries of one viewer, as one authentication gave it, ever share a request, and each is
 * answered by itself. Nobody joins a request that was sent.
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
    if (lane === undefined) lanes.set(operation, (lane = { underWay: 0, gathering: undefined, timer: undefined }));
    const forget = () => lanes.delete(operation);
    if (lane.underWay >= REQUESTS_AT_ONCE) return this.#join(lane, forget, { call, context });
    const answer = this.#client.send(call, context);
    this.#follow(lane, forget, answer);
    return answer;
  }

  #join(lane: Lane, forget: () => void, { call, context }: Pick<Reader, 'call' | 'context'>): Promise<TextAnswer> {
    const { signal } = context;
    if (signal.aborted) return Promise.reject(failure(signal.reason, signal));
    const batch = lane.gathering ?? this.#gather(lane, forget);
    return new Promise((resolve, reject) => {
      const leave = () => {
        batch.waiting.delete(reader);
        reject(failure(signal.reason, signal));
        if (batch.waiting.size === 0) batch.abort.abort(signal.reason);
      };
      const stay = () => signal.removeEventListener('abort', leave);
      const reader: Reader = {
        call,
        context,
        resolve: (answer) => {
          stay();
          resolve(answer);
        },
        reject: (error) => {
          stay();
          reject(error);
        },
      };
      signal.addEventListener('abort', leave, { once: true });
      batch.readers.push(reader);
      batch.waiting.add(reader);
      batch.charCount += call.body.length;
      if (batch.readers.length >= MOST_LINES || batch.charCount >= MAX_CHARS) this.#flush(lane, forget);
    });
  }

  #gather(lane: Lane, forget: () => void): Batch {
    const batch: Batch = { readers: [], waiting: new Set(), charCount: 0, abort: new AbortController() };
    lane.gathering = batch;
    lane.timer = setTimeout(() => this.#flush(lane, forget), MAX_GATHER_MS);
    return batch;
  }

  #flush(lane: Lane, forget: () => void): void {
    const { gathering: batch } = lane;
    clearTimeout(lane.timer);
    lane.gathering = undefined;
    if (batch === undefined || batch.waiting.size === 0) return;
    const readers = [...batch.waiting];
    this.#savedCount += readers.length - 1;
    this.#follow(lane, forget, this.#run(readers, batch.abort.signal));
  }

  /** The next request goes when one is back. */
  #follow(lane: Lane, forget: () => void, answer: Promise<unknown>): void {
    lane.underWay += 1;
    const end = () => {
      lane.underWay -= 1;
      if (lane.gathering !== undefined) this.#flush(lane, forget);
      else if (lane.underWay === 0) forget();
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
