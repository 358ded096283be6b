import type { OperationContext } from '../context.ts';
import type { GraphQLAnswer } from '../subgraph-client.ts';
import type { DeferralScope, Deferrals } from './deferred-parts.ts';
import type { JsonObject } from './json.ts';
import type { Representation } from './representations.ts';

/** One execution of a plan. */
export interface PlanRun {
  context: OperationContext;
  /** The client's variables, checked against the schema but not coerced. */
  variables: JsonObject;
  /** Everything fetched so far, under the operation's response names. */
  data: JsonObject;
  errors: Error[];
  /** The event that answers the primary fetch of a subscription. */
  event?: GraphQLAnswer;
  fetches: SubgraphFetches;
  /** Filled where the client asked how long its fetches take. */
  timings: FetchTiming[] | undefined;
  /** When the execution began, by `performance.now()`. */
  startedAt: number;
  /** What is deferred in an execution that is answered in parts. */
  deferrals?: Deferrals;
  /** Within what this run itself was deferred. */
  scope?: DeferralScope;
}

/** How long one fetch of a plan took. */
export interface FetchTiming {
  subgraph: string;
  path: Path;
  /** From the start of the execution. */
  startMs: number;
  durationMs: number;
  /** How many distinct entities were asked for; null where fields of the root were. */
  entityCount: number | null;
}

/** A fetch of fields of a root type. */
export interface FieldsFetch {
  name: string;
  body: string;
  /** Whether whoever asks for the same meanwhile may be given this answer. */
  shareable: boolean;
  /** Whether sending it twice does no more than sending it once. */
  repeatable: boolean;
  /** What it has in common with others that may travel with it in one request; undefined where it travels alone. */
  operation?: string | undefined;
}

/** A fetch of entities: `body` is open, up to where its representations come. */
export interface EntitiesFetch extends FieldsFetch {
  representation: Representation;
  /** Of the entities; each distinct. */
  keys: readonly string[];
}

export interface SubgraphFetches {
  fields(fetch: FieldsFetch, context: OperationContext): Promise<GraphQLAnswer>;
  /** The answer for exactly these entities, in their order. */
  entities(fetch: EntitiesFetch, context: OperationContext): Promise<GraphQLAnswer>;
}

export type RunNode = (run: PlanRun) => Promise<void>;

export type Path = readonly (string | number)[];
