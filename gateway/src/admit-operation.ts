import { AppError } from '@kindred/domain/app-error';
import { GraphQLError, OperationTypeNode } from 'graphql';
import type { Caller } from './caller.ts';
import type { Documents } from './documents.ts';
import { HttpError } from './http-error.ts';
import type { OperationRequest } from './operation-request.ts';
import type { Operations, PreparedOperation, Refusal } from './operations.ts';
import type { Charge, RateLimiter } from './rate-limit/rate-limiter.ts';

/** What stands between a request and the graph, the same for every transport. */
export interface Gate {
  documents: Documents;
  operations: Operations;
  limiter: RateLimiter;
}

export interface Admitted {
  prepared: PreparedOperation;
  /** In points; see `OperationCosts`. */
  cost: number;
  charge: Charge;
}

/**
 * Finds the document, checks and plans it, and charges its caller. Nothing is sent to a subgraph.
 * @throws HttpError when the document may not be run or is not known; RateLimitedError; AppError UNAVAILABLE
 */
export async function admitOperation(
  { documents, operations, limiter }: Gate,
  request: OperationRequest,
  { credential, address }: Caller,
): Promise<Admitted | Refusal> {
  const prepared = operations.prepare(documents.resolve(request, credential), request.operationName);
  if (!('planned' in prepared)) return prepared;
  const admitted = operations.admit(prepared, request.variables);
  if (!('cost' in admitted)) return admitted;
  const { cost } = admitted;
  const charge = await limiter.charge({ viewer: credential.viewer, address }, cost, prepared);
  return { prepared, cost, charge };
}

/** Whether an operation runs where streams are served, or where single answers are. */
export function isSubscription({ node }: PreparedOperation): boolean {
  return node.operation === OperationTypeNode.SUBSCRIPTION;
}

/** The refusal that an error says, for transports without status codes; undefined where it is a failure of ours. */
export function refusalOf(error: unknown): Refusal | undefined {
  if (!(error instanceof HttpError || error instanceof AppError)) return undefined;
  return [new GraphQLError(error.message, { extensions: { code: error.code } })];
}
