import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { checkFactory } from './faiss-index.ts';
import { appendTrailer, type IndexTrailer, readTrailer } from './faiss-file.ts';
import type { FaissNodeAnswer, FaissNodeRequest } from './faiss-node-child.ts';
import {
  checkSearch,
  checkVectors,
  type SearchOptions,
  type SearchResult,
  type VectorIndex,
  VectorIndexError,
} from './index-contract.ts';
import { writeIndexFile } from './write-index-file.ts';

const NOTICE = 'faiss-node searches in a child process: nprobe and efSearch per query are ignored.';

/** Where to find the package; default: `faiss-node` as Node resolves it from here. */
export interface FaissNodeOptions {
  readonly modulePath?: string;
}

/**
 * As `buildFaissIndex`, by the npm package faiss-node in a child process, which `close` ends.
 * @throws VectorIndexError UNAVAILABLE when the package is not installed; FAILED when FAISS ended the child.
 */
export async function buildFaissNodeIndex(
  vectors: Float32Array,
  dimension: number,
  options: FaissNodeOptions & { readonly factory?: string } = {},
): Promise<VectorIndex> {
  await checkVectors(vectors, dimension);
  const { factory = 'Flat' } = options;
  checkFactory(factory);
  return await start(
    options,
    { kind: 'build', vectors, dimension, factory },
    { factory, recallAt20: null, reason: null },
  );
}

/**
 * As `openFaissIndex`, by the npm package faiss-node in a child process, which `close` ends.
 * @throws VectorIndexError UNAVAILABLE when the package is not installed; UNREADABLE when the file is not whole.
 */
export async function openFaissNodeIndex(path: string, options: FaissNodeOptions = {}): Promise<VectorIndex> {
  const trailer = await readTrailer(path);
  if (!trailer) throw new VectorIndexError('UNREADABLE', `${path} does not end with the trailer of an index.`);
  return await start(options, { kind: 'read', path }, trailer);
}

async function start(options: FaissNodeOptions, first: FaissNodeRequest, trailer: IndexTrailer): Promise<VectorIndex> {
  const modulePath = options.modulePath ?? resolvePackage();
  const child = fork(join(import.meta.dirname, 'faiss-node-child.ts'), [modulePath], { serialization: 'advanced' });
  const ask = createQueue(child);
  try {
    const { size, dimension } = await ask(first);
    return wrap({ child, ask, size, dimension, trailer });
  } catch (error) {
    child.kill();
    throw error;
  }
}

type Ask = (request: FaissNodeRequest) => Promise<FaissNodeAnswer>;

interface Running {
  readonly child: ChildProcess;
  readonly ask: Ask;
  readonly size: number;
  readonly dimension: number;
  readonly trailer: IndexTrailer;
}

function wrap({ child, ask, size, dimension, trailer }: Running): VectorIndex {
  const state = { dimension, closed: false, pending: 0 };
  const endWhenIdle = () => {
    if (state.closed && state.pending === 0) child.kill();
  };
  const tracked = async <T>(work: () => Promise<T>): Promise<T> => {
    state.pending += 1;
    try {
      return await work();
    } finally {
      state.pending -= 1;
      endWhenIdle();
    }
  };
  return {
    kind: 'faiss',
    factory: trailer.factory,
    size,
    dimension,
    notice: NOTICE,
    reason: trailer.reason,
    recallAt20: trailer.recallAt20,
    async search(queries, k, options = {}) {
      const { excludeRows, excludeRowsOf, onlyRows } = options;
      const queryCount = checkSearch(state, queries, { k, excludeRowsOf });
      const most = (excludeRows?.length ?? 0) + (excludeRowsOf?.rows.length ?? 0);
      // The package knows no filter: among all rows are those that are wanted.
      const fetched = onlyRows ? size : Math.min(size, k + most);
      const { rows, scores } = await tracked(() => ask({ kind: 'search', queries: queries.slice(), k: fetched }));
      if (!rows || !scores) throw new VectorIndexError('FAILED', 'faiss-node answered a search without results.');
      return keepAllowed({ rows, scores }, options, { queryCount, k });
    },
    async write(path) {
      if (state.closed) throw new VectorIndexError('CLOSED', 'The index is closed.');
      await tracked(() =>
        writeIndexFile(path, async (temporaryPath) => {
          await ask({ kind: 'write', path: temporaryPath });
          await appendTrailer(temporaryPath, trailer);
        }),
      );
    },
    close() {
      state.closed = true;
      endWhenIdle();
    },
  };
}

function keepAllowed(
  found: SearchResult,
  { excludeRows, excludeRowsOf, onlyRows }: SearchOptions,
  { queryCount, k }: { queryCount: number; k: number },
): SearchResult {
  const fetched = found.rows.length / queryCount;
  const rows = new Int32Array(queryCount * k).fill(-1);
  const scores = new Float32Array(queryCount * k).fill(Number.NEGATIVE_INFINITY);
  const excluded = new Set(excludeRows);
  const only = onlyRows && new Set(onlyRows);
  for (let query = 0; query < queryCount; query++) {
    const own = new Set(excludeRowsOf?.rows.subarray(excludeRowsOf.offsets[query], excludeRowsOf.offsets[query + 1]));
    let to = query * k;
    for (let from = query * fetched; from < (query + 1) * fetched && to < (query + 1) * k; from++) {
      const row = found.rows[from] ?? -1;
      if (row < 0 || excluded.has(row) || own.has(row) || only?.has(row) === false) continue;
      rows[to] = row;
      scores[to] = found.scores[from] ?? 0;
      to += 1;
    }
  }
  return { rows, scores };
}

/** Asks the child one thing at a time; its end rejects what is being asked and all that follows. */
function createQueue(child: ChildProcess): Ask {
  let last: Promise<unknown> = Promise.resolve();
  const ended = once(child, 'exit').then(([code, signal]) => {
    throw new VectorIndexError('FAILED', `The faiss-node process ended (${String(signal ?? `exit code ${code}`)}).`);
  });
  ended.catch(() => undefined);
  const exchange = async (request: FaissNodeRequest): Promise<FaissNodeAnswer> => {
    const answered = once(child, 'message') as Promise<[{ result?: FaissNodeAnswer; failure?: string }]>;
    // A child that has ended cannot be sent to; `ended` then rejects.
    child.send(request, () => undefined);
    const [{ result, failure }] = await Promise.race([answered, ended]);
    if (!result) throw new VectorIndexError('FAILED', `faiss-node: ${failure ?? 'no answer'}`);
    return result;
  };
  return (request) => {
    const answer = last.then(() => exchange(request));
    last = answer.catch(() => undefined);
    return answer;
  };
}

function resolvePackage(): string {
  try {
    return createRequire(import.meta.url).resolve('faiss-node');
  } catch (cause) {
    throw new VectorIndexError('UNAVAILABLE', 'The npm package faiss-node is not installed.', { cause });
  }
}
