import { operationFromDocument, type Supergraph } from '@apollo/federation-internals';
import { type QueryPlan, QueryPlanner } from '@apollo/query-planner';
import type { DocumentNode } from 'graphql';
import { labelDefers, withoutDefers } from '../executor/defer-labels.ts';

/** How a document is answered whole, and how in parts. */
export interface DocumentPlan extends QueryPlan {
  /** The plan of the document that `labelDefers` writes; undefined where nothing is deferred. */
  deferred?: QueryPlan;
}

export type PlanOperation = (document: DocumentNode, operationName: string | undefined) => DocumentPlan;

/** Plans on the thread of whoever asks. The document must be valid. */
export function createPlanOperation(supergraph: Supergraph): PlanOperation {
  const apiSchema = supergraph.apiSchema();
  const planner = new QueryPlanner(supergraph, { incrementalDelivery: { enableDefer: true } });
  const read = (document: DocumentNode, operationName: string | undefined) =>
    operationFromDocument(apiSchema, document, operationName === undefined ? {} : { operationName });
  return (document, operationName) => {
    const plan = planner.buildQueryPlan(read(withoutDefers(document), operationName));
    const labelled = labelDefers(document, operationName);
    if (labelled === undefined) return plan;
    try {
      return { ...plan, deferred: planner.buildQueryPlan(read(labelled.document, operationName)) };
    } catch {
      // The planner fails on some inputs of @requires in deferred fragments: such an operation is answered whole.
      return plan;
    }
  };
}
