import type { DeferNode, PlanNode } from '@apollo/query-planner';
import { addInto, copyOf, type JsonObject } from './json.ts';
import type { PlanRun, RunNode } from './plan-run.ts';

/** What a part was deferred from: its own data is added to what this fetched. */
export interface DeferralScope {
  run: PlanRun;
  /** Resolved when the run has everything that is not deferred in it. */
  done: Promise<void>;
}

/** Everything that one deferred part is shaped from. */
export interface FetchedPart {
  data: JsonObject;
  errors: Error[];
}

/** The deferred parts of one execution. A part is under way as soon as what it depends on is there. */
export class Deferrals {
  /** By label, from when the run around them begins. */
  readonly parts = new Map<string, Promise<FetchedPart>>();
  readonly #fetches = new Map<string, PromiseWithResolvers<void>>();

  fetched(id: string): void {
    this.#fetch(id).resolve();
  }

  async whenFetched(ids: readonly string[]): Promise<void> {
    await Promise.all(ids.map((id) => this.#fetch(id).promise));
  }

  #fetch(id: string): PromiseWithResolvers<void> {
    let fetch = this.#fetches.get(id);
    if (fetch === undefined) this.#fetches.set(id, (fetch = Promise.withResolvers()));
    return fetch;
  }
}

interface Part {
  label: string;
  dependsOn: readonly string[];
  run: RunNode | undefined;
}

/** The primary part as one function, which starts the deferred ones beside it and does not wait for them. */
export function compileDefer({ primary, deferred }: DeferNode, compile: (node: PlanNode) => RunNode): RunNode {
  const runPrimary = primary.node && compile(primary.node);
  const parts = deferred.map(
    ({ label = '', depends, node }): Part => ({
      label,
      dependsOn: depends.map(({ id }) => id),
      run: node && compile(node),
    }),
  );
  return async (run) => {
    const { deferrals } = run;
    if (deferrals === undefined) throw new Error('A plan with deferred parts was run to be answered whole');
    const { promise, resolve } = Promise.withResolvers<void>();
    for (const part of parts) {
      const fetched = runPart(part, { run, done: promise }, deferrals);
      // Nobody waits for a part whose place in the answer turns out to be null.
      fetched.catch(() => {});
      deferrals.parts.set(part.label, fetched);
    }
    try {
      await runPrimary?.(run);
    } finally {
      resolve();
    }
  };
}

/** A fetch that deferred parts may depend on. */
export function tellFetched(id: string | undefined, fetch: RunNode): RunNode {
  if (id === undefined) return fetch;
  return async (run) => {
    await fetch(run);
    run.deferrals?.fetched(id);
  };
}

/** Fetches into data of its own, so that no part changes what another one is shaped from. */
async function runPart(part: Part, scope: DeferralScope, deferrals: Deferrals): Promise<FetchedPart> {
  const errors: Error[] = [];
  if (part.run === undefined) {
    await whenDone(scope);
    return { data: dataOf(scope.run), errors };
  }
  // A fetch that a condition leaves out is never told of.
  await Promise.race([deferrals.whenFetched(part.dependsOn), whenDone(scope)]);
  const run: PlanRun = { ...scope.run, data: dataOf(scope.run), errors, scope };
  await part.run(run);
  await whenDone(scope);
  return { data: dataOf(run), errors };
}

async function whenDone({ run, done }: DeferralScope): Promise<void> {
  await done;
  if (run.scope !== undefined) await whenDone(run.scope);
}

/** A copy of everything that was fetched for it so far, by what it was deferred from too. */
function dataOf(run: PlanRun): JsonObject {
  if (run.scope === undefined) return copyOf(run.data);
  const data = dataOf(run.scope.run);
  addInto(data, copyOf(run.data));
  return data;
}
