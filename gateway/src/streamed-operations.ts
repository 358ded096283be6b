import { type DocumentNode, GraphQLError, type GraphQLSchema, OperationTypeNode } from 'graphql';
import { type Admitted, admitOperation, type Gate, isSubscription, refusalOf } from './admit-operation.ts';
import type { Caller } from './caller.ts';
import { giveBack } from './operation-answers.ts';
import type { OperationRequest } from './operation-request.ts';
import type { OperationResults } from './operation-results.ts';
import type { Refusal } from './operations.ts';
import { type QueryAnswering, QueryResults } from './query-results.ts';
import type { Consumer, Subscriptions } from './subscriptions.ts';

/** An operation that may run over a socket or stream. */
export interface StreamedOperation {
  document: DocumentNode;
  operationName: string | undefined;
  open(consumer: Consumer): OperationResults;
  /** In place of `open`, where it is not opened after all. */
  drop(): void;
}

export interface StreamedRequest {
  request: OperationRequest;
  caller: Caller;
  /** Whether the client knows answers in parts. */
  acceptsParts: boolean;
}

/** What sockets and event streams serve: subscriptions, and queries, in parts where they defer something. */
export interface StreamedOperations {
  schema: GraphQLSchema;
  /** The operation, or why it is refused: nothing is sent to a subgraph before it is opened. */
  admit(request: StreamedRequest): Promise<StreamedOperation | Refusal>;
}

export interface StreamedOperationsOptions extends QueryAnswering {
  gate: Gate;
  subscriptions: Pick<Subscriptions, 'plan' | 'subscribe'>;
}

export function createStreamedOperations(options: StreamedOperationsOptions): StreamedOperations {
  return {
    schema: options.gate.operations.schema,
    admit: async (streamed) => {
      try {
        const admitted = await admitOperation(options.gate, streamed.request, streamed.caller);
        return 'prepared' in admitted ? serve(options, streamed, admitted) : admitted;
      } catch (error) {
        const refusal = refusalOf(error);
        if (refusal === undefined) throw error;
        return refusal;
      }
    },
  };
}

function serve(
  options: StreamedOperationsOptions,
  { request, caller, acceptsParts }: StreamedRequest,
  admitted: Admitted,
): StreamedOperation | Refusal {
  const { prepared, cost, spending } = admitted;
  const { document, node } = prepared;
  const { operationName } = request;
  if (isSubscription(prepared)) {
    spending.settle('SUBSCRIPTION', { points: cost, recommendations: 0 });
    const planned = options.subscriptions.plan(prepared, request);
    const open = (consumer: Consumer) => options.subscriptions.subscribe(planned, consumer);
    return { document, operationName, open, drop: () => undefined };
  }
  if (node.operation === OperationTypeNode.MUTATION) {
    spending.cancel();
    return [MUTATE_ELSEWHERE];
  }
  const open = ({ traceId, credential }: Consumer) => {
    const context = { viewer: credential.viewer, traceId, clientAddress: caller.address };
    return new QueryResults(options, { admitted, request, context, acceptsParts });
  };
  return { document, operationName, open, drop: () => giveBack(admitted) };
}

// A mutation whose connection is lost must not run again, and is guarded against other sites' pages by HTTP alone.
const MUTATE_ELSEWHERE = new GraphQLError(
  'Streams and sockets serve subscriptions and queries, not a mutation: send it to POST /graphql.',
  { extensions: { code: 'BAD_REQUEST' } },
);
