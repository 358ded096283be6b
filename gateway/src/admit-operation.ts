import { AppError } from '@kindred/domain/app-error';
import { GraphQLError, OperationTypeNode } from 'graphql';
import type { Caller } from './caller.ts';
import { checkPublication } from './check-publication.ts';
import type { Documents } from './documents.ts';
import { HttpError } from './http-error.ts';
import type { OperationRequest } from './operation-request.ts';
import { isTooComplex, type Operations, type PreparedOperation, type Refusal } from './operations.ts';
import type { SlowCallers } from './planning/slow-callers.ts';
import type { Charge, Payer, RateLimiter } from './rate-limit/rate-limiter.ts';
import type { Spending, SpendingGate } from './usage/spending.ts';

/** What stands between a request and the graph, the same for every transport. */
export interface Gate {
  documents: Documents;
  operations: Operations;
  limiter: RateLimiter;
  spending: SpendingGate;
  slowCallers: SlowCallers;
}

export interface Admitted {
  prepared: PreparedOperation;
  /** In points; see `OperationCosts`. */
  cost: number;
  charge: Charge;
  /** To be settled when the operation is over. */
  spending: Spending;
}

/** What an operation costs that is not run: it was read, and checked. */
const REFUSAL_COST = 5;
const READS = { failsClosed: false };

/**
 * Finds the document, checks and plans it, and charges its caller. Nothing is sent to a subgraph.
 * @throws HttpError when the document may not be run or is not known; RateLimitedError; QuotaExceededError; AppError UNAVAILABLE
 */
export async function admitOperation(
  gate: Gate,
  request: OperationRequest,
  caller: Caller,
): Promise<Admitted | Refusal> {
  const spending = await gate.spending.begin(caller.credential.viewer);
  try {
    const admitted = await admit(gate, request, { ...caller, spending });
    if (!('prepared' in admitted)) spending.cancel();
    return admitted;
  } catch (error) {
    spending.cancel();
    throw error;
  }
}

type SpendingCaller = Caller & { spending: Spending };

async function admit(gate: Gate, request: OperationRequest, caller: SpendingCaller): Promise<Admitted | Refusal> {
  const { documents, operations, limiter } = gate;
  const { spending } = caller;
  const payer = payerOf(caller);
  const refuse = async (refusal: Refusal): Promise<Refusal> => {
    await limiter.charge(payer, REFUSAL_COST, READS);
    return refusal;
  };
  const query = await documents.resolve(request, caller.credential);
  const known = operations.known(query, request.operationName);
  const prepared = known ?? (await prepareNew(gate, { ...request, query }, caller));
  if (!('planned' in prepared)) return await refuse(prepared);
  const admitted = operations.admit(prepared, request.variables);
  if (!('cost' in admitted)) return await refuse(admitted);
  const { cost } = admitted;
  const charge = await limiter.charge(payer, cost, prepared);
  await spending.take(cost);
  const unfit = prepared.publishes ? await checkPublication(operations, prepared, request.variables) : undefined;
  if (unfit !== undefined) return unfit;
  return { prepared, cost, charge, spending };
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

/** Whoever has no points left does not make us plan; they are given back, because the operation itself is charged next. */
async function prepareNew(
  { operations, limiter, slowCallers }: Gate,
  { query, operationName }: { query: string; operationName: string | undefined },
  caller: SpendingCaller,
): Promise<PreparedOperation | Refusal> {
  slowCallers.check(caller);
  const reading = await limiter.charge(payerOf(caller), REFUSAL_COST, READS);
  const prepared = await operations.prepare(query, operationName);
  reading.refund(REFUSAL_COST);
  if (!('planned' in prepared) && isTooComplex(prepared)) slowCallers.note(caller);
  return prepared;
}

function payerOf({ credential, address, spending }: SpendingCaller): Payer {
  return { viewer: credential.viewer, address, plan: spending.plan };
}
