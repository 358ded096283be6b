import type { OperationContext } from '../context.ts';
import type { GraphQLAnswer } from '../subgraph-client.ts';
import type { JsonObject } from './json.ts';

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
  fetch: FetchFromSubgraph;
}

export type FetchFromSubgraph = (
  request: { name: string; body: string; shareable: boolean },
  context: OperationContext,
) => Promise<GraphQLAnswer>;

export type RunNode = (run: PlanRun) => Promise<void>;

export type Path = readonly (string | number)[];
