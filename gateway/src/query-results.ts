import { AppError } from '@kindred/domain/app-error';
import { toFormattedError } from '@kindred/service/format-error';
import { runInTrace } from '@kindred/service/trace';
import { Deadline, type OperationContext } from './context.ts';
import { type AdmittedOperation, type Answering, answerInParts, answerWhole, giveBack } from './operation-answers.ts';
import type { OperationResults } from './operation-results.ts';
import type { LoadLimit } from './overload/load-limit.ts';

export interface QueryAnswering extends Answering {
  /** Of queries and mutations under way, over every transport. */
  load: Pick<LoadLimit, 'begin' | 'end'>;
}

/** A query that may run, for a client that knows parts or does not. */
export interface StreamedQuery extends Omit<AdmittedOperation, 'context'> {
  context: Omit<OperationContext, 'signal' | 'deadlineAt'>;
  acceptsParts: boolean;
}

/**
 * The answer to a query over a socket or stream: whole, or in parts. It runs when it is first asked for and in the time of
 * one operation; the next part is shaped when the last was taken. Ending it ends the calls to subgraphs.
 */
export class QueryResults implements OperationResults {
  readonly #answering: QueryAnswering;
  readonly #query: StreamedQuery;
  readonly #leave = new AbortController();
  #results: AsyncGenerator<string, undefined> | undefined;
  #isAsked = false;
  #isLate = false;

  constructor(answering: QueryAnswering, query: StreamedQuery) {
    this.#answering = answering;
    this.#query = query;
  }

  ask(take: (result: string | undefined) => void): void {
    void this.#next().then(take, (error: unknown) => take(failure(error, this.#answering)));
  }

  end(): void {
    if (this.#leave.signal.aborted) return;
    this.#leave.abort();
    // It was admitted, and never run.
    if (this.#results === undefined) giveBack(this.#query.admitted);
    else void this.#results.return(undefined);
  }

  async #next(): Promise<string | undefined> {
    const { signal } = this.#leave;
    if (signal.aborted) return undefined;
    if (this.#isLate) {
      this.#leave.abort();
      const late = new AppError('TIMEOUT', 'The rest was not read in time.');
      return failure(late, this.#answering, { hasNext: false });
    }
    const results = (this.#results ??= this.#begin());
    this.#isAsked = true;
    const { value } = await runInTrace(this.#query.context.traceId, () => results.next());
    this.#isAsked = false;
    return signal.aborted ? undefined : value;
  }

  #begin(): AsyncGenerator<string, undefined> {
    const deadline = new Deadline(this.#leave.signal);
    deadline.signal.addEventListener('abort', () => this.#dropUnread(), { once: true });
    return answer(this.#answering, this.#query, { deadline, left: this.#leave.signal });
  }

  /** When its time is up, what is asked for ends with an error, and what is not is no longer kept. */
  #dropUnread(): void {
    if (this.#isAsked || this.#leave.signal.aborted) return;
    this.#isLate = true;
    void this.#results?.return(undefined);
  }
}

/** The deadline is over with the last result: whoever is slow to take that is not late. */
async function* answer(
  { load, ...answering }: QueryAnswering,
  query: StreamedQuery,
  { deadline, left }: { deadline: Deadline; left: AbortSignal },
): AsyncGenerator<string, undefined> {
  const { signal, deadlineAt } = deadline;
  const operation = { ...query, context: { ...query.context, signal, deadlineAt } };
  // A socket may have many under way: each counts as a connection of its own.
  if (!load.begin({})) {
    deadline[Symbol.dispose]();
    giveBack(query.admitted);
    yield failure(new AppError('UNAVAILABLE', 'There is too much to do now; try again.'), answering);
    return;
  }
  let hasNext = false;
  let last: string | undefined;
  try {
    const parts = query.acceptsParts ? await answerInParts(answering, operation) : undefined;
    if (parts === undefined) last = JSON.stringify(await answerWhole(answering, operation));
    else {
      for await (const part of parts) {
        ({ hasNext } = part);
        if (hasNext) yield JSON.stringify(part);
        else last = JSON.stringify(part);
      }
    }
  } catch (error) {
    // Nobody is there to be told.
    if (!left.aborted) last = failure(error, answering, hasNext ? { hasNext: false } : {});
  } finally {
    deadline[Symbol.dispose]();
    load.end();
  }
  if (last !== undefined) yield last;
}

function failure(error: unknown, { formatError }: Answering, more: object = {}): string {
  return JSON.stringify({ errors: [toFormattedError(error, formatError)], ...more });
}
