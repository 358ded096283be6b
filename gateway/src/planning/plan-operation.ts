import { operationFromDocument, type Supergraph } from '@apollo/federation-internals';
import { type QueryPlan, QueryPlanner } from '@apollo/query-planner';
import type { DocumentNode } from 'graphql';

export type PlanOperation = (document: DocumentNode, operationName: string | undefined) => QueryPlan;

/** Plans on the thread of whoever asks. The document must be valid. */
export function createPlanOperation(supergraph: Supergraph): PlanOperation {
  const apiSchema = supergraph.apiSchema();
  const planner = new QueryPlanner(supergraph);
  return (document, operationName) =>
    planner.buildQueryPlan(
      operationFromDocument(apiSchema, document, operationName === undefined ? {} : { operationName }),
    );
}
