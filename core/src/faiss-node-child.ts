// The child process of faiss-node-adapter.ts: holds one index of the npm package faiss-node (0.5), which aborts its
// process on any FAISS error, and answers one message after another.
import { createRequire } from 'node:module';

export type FaissNodeRequest =
  | { readonly kind: 'build'; readonly vectors: Float32Array; readonly dimension: number; readonly factory: string }
  | { readonly kind: 'read'; readonly path: string }
  | { readonly kind: 'search'; readonly queries: Float32Array; readonly k: number }
  | { readonly kind: 'write'; readonly path: string };

export interface FaissNodeAnswer {
  readonly size: number;
  readonly dimension: number;
  /** Of a search: `[q * k]`, row -1 where none is left. */
  readonly rows?: Int32Array;
  readonly scores?: Float32Array;
}

/** The part of the package that is used, from its own declarations. */
interface FaissNodeIndex {
  ntotal(): number;
  getDimension(): number;
  train(values: number[]): void;
  add(values: number[]): void;
  search(values: number[], k: number): { distances: number[]; labels: number[] };
  write(path: string): void;
}
interface FaissNode {
  readonly Index: {
    read(path: string): FaissNodeIndex;
    fromFactory(dimension: number, factory: string, metric: number): FaissNodeIndex;
  };
}

const INNER_PRODUCT = 0;

function answer(
  faiss: FaissNode,
  index: FaissNodeIndex | null,
  request: FaissNodeRequest,
): [FaissNodeIndex, FaissNodeAnswer] {
  if (request.kind === 'build') {
    const built = faiss.Index.fromFactory(request.dimension, request.factory, INNER_PRODUCT);
    const values = Array.from(request.vectors);
    built.train(values);
    built.add(values);
    return [built, describe(built)];
  }
  if (request.kind === 'read') {
    const read = faiss.Index.read(request.path);
    return [read, describe(read)];
  }
  if (index === null) throw new Error(`There is no index yet to ${request.kind}.`);
  if (request.kind === 'write') {
    index.write(request.path);
    return [index, describe(index)];
  }
  const { labels, distances } = index.search(Array.from(request.queries), request.k);
  return [index, { ...describe(index), rows: Int32Array.from(labels), scores: Float32Array.from(distances) }];
}

function describe(index: FaissNodeIndex): FaissNodeAnswer {
  return { size: index.ntotal(), dimension: index.getDimension() };
}

function main(modulePath: string): void {
  const faiss = createRequire(import.meta.url)(modulePath) as FaissNode;
  let index: FaissNodeIndex | null = null;
  process.on('message', (request: FaissNodeRequest) => {
    try {
      const [next, result] = answer(faiss, index, request);
      index = next;
      process.send?.({ result });
    } catch (error) {
      process.send?.({ failure: error instanceof Error ? error.message : String(error) });
    }
  });
}

main(process.argv[2] ?? 'faiss-node');
