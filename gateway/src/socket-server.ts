import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';
import { AppError, type AppErrorCode } from '@kindred/domain/app-error';
import type { Logger } from '@kindred/service/logger';
import { newTraceId } from '@kindred/service/trace';
import { type ExecutionArgs, GraphQLError, type GraphQLSchema } from 'graphql';
import { CloseCode, type SubscribePayload } from 'graphql-ws';
import { useServer } from 'graphql-ws/use/ws';
import { type WebSocket, WebSocketServer } from 'ws';
import type { Authenticate, Credential } from './auth.ts';
import type { ConnectionLimits } from './connection-limits.ts';
import { isAllowedOrigin } from './cors.ts';
import { addressOf, type Caller } from './caller.ts';
import { acceptsDeferSpec } from './media-type.ts';
import { type OperationRequest, readOperationObject } from './operation-request.ts';
import { SocketDelivery } from './socket-delivery.ts';
import type { StreamedOperation, StreamedOperations } from './streamed-operations.ts';
import { watchCredential } from './watch-credential.ts';

export interface SocketServerOptions {
  operations: StreamedOperations;
  connections: ConnectionLimits;
  authenticate: Authenticate;
  allowedOrigins: readonly string[];
  trustedProxies: number;
  logger: Logger;
}

/** Serves subscriptions and queries over WebSockets. */
export interface SocketServer {
  /** Closes every socket with 1001, on which clients connect anew elsewhere. */
  drain(): Promise<void>;
}

const MAX_MESSAGE_BYTES = 256 * 1024;
const INIT_TIMEOUT_MS = 5_000;
const MAX_OPERATIONS_PER_SOCKET = 50;
// RFC 6455, section 11.7: the server is temporarily not able to serve; clients try again.
const TRY_AGAIN_LATER = 1013;

// What a client gets for a credential that is not good, or not good here; all else is for us to mend.
const CREDENTIAL_CODES: ReadonlySet<AppErrorCode> = new Set(['UNAUTHENTICATED', 'FORBIDDEN']);

interface Extra extends Record<PropertyKey, unknown> {
  caller?: Caller;
  /** Gives the connection's place back, and stops watching its credential. */
  release?: () => void;
}

interface Operation {
  id: string;
  admitted: StreamedOperation;
  credential: Credential;
  socket: WebSocket;
}

/** Takes the upgrades of `server` at /graphql to the graphql-transport-ws protocol; credentials come in `connectionParams`. */
export function startSocketServer(server: Server, options: SocketServerOptions): SocketServer {
  const { operations, logger } = options;
  const sockets = new WebSocketServer({ noServer: true, maxPayload: MAX_MESSAGE_BYTES });
  const protocol = useServer<Record<string, unknown>, Extra>(
    {
      connectionInitWaitTimeout: INIT_TIMEOUT_MS,
      onConnect: async ({ connectionParams = {}, extra }) => {
        const outcome = await admit(options, connectionParams, extra.request.headers.origin);
        if ('viewer' in outcome) {
          const caller = { credential: outcome, address: addressOf(extra.request, options.trustedProxies) };
          if (watch(options, extra, caller)) return true;
        }
        const isRefused = 'code' in outcome && CREDENTIAL_CODES.has(outcome.code);
        if (!isRefused) extra.socket.close(TRY_AGAIN_LATER, 'Try again later');
        return false;
      },
      onSubscribe: async ({ extra, connectionParams, subscriptions: open }, id, payload) => {
        if (Object.keys(open).length > MAX_OPERATIONS_PER_SOCKET) return [tooMany()];
        const { caller } = extra;
        if (caller === undefined) throw new Error('A socket subscribed before it was admitted');
        const acceptsParts = acceptsDeferSpec(connectionParams?.deferSpec);
        const admitted = await operations.admit({ request: readPayload(payload), caller, acceptsParts });
        if (!('open' in admitted)) return admitted;
        const { socket } = extra;
        return executionArgs(operations.schema, { id, admitted, credential: caller.credential, socket });
      },
      onClose: ({ extra }) => extra.release?.(),
      subscribe: deliver,
      execute: deliver,
    },
    sockets,
  );
  // Beside graphql-ws's own listener, which prints and closes.
  sockets.on('connection', (socket) => socket.on('error', (err) => logger.warn({ err }, 'A socket failed')));
  const upgrade = createUpgrade(sockets, options.allowedOrigins);
  server.on('upgrade', upgrade);
  return {
    drain: async () => {
      server.off('upgrade', upgrade).on('upgrade', (_request, stream) => refuse(stream, '503 Service Unavailable'));
      await protocol.dispose();
    },
  };
}

function deliver({ contextValue }: ExecutionArgs): SocketDelivery {
  const { id, admitted, credential, socket } = contextValue as Operation;
  const consumer = { credential, traceId: newTraceId(), isWatched: true };
  return new SocketDelivery(socket, id, admitted.open(consumer));
}

/** Takes a place for the socket, which closes when its credential ends; false when there is no place. */
function watch({ connections }: SocketServerOptions, extra: Extra & { socket: WebSocket }, caller: Caller): boolean {
  const giveBack = connections.take(caller);
  if (giveBack === undefined) return false;
  const stop = watchCredential(caller.credential, (error) => {
    const isEnded = error instanceof AppError && CREDENTIAL_CODES.has(error.code);
    // On 4403 clients connect anew with a fresh credential, and resume by the last sequence that they saw.
    if (isEnded) extra.socket.close(CloseCode.Forbidden, 'Forbidden');
    else extra.socket.close(TRY_AGAIN_LATER, 'Try again later');
  });
  extra.caller = caller;
  extra.release = () => {
    stop();
    giveBack();
  };
  return true;
}

async function admit(
  { authenticate, logger }: SocketServerOptions,
  parameters: Record<string, unknown>,
  origin: string | undefined,
) {
  const text = (name: string) => {
    const value = parameters[name];
    return typeof value === 'string' && value !== '' ? value : undefined;
  };
  try {
    return await authenticate({
      authorization: text('authorization') ?? text('Authorization'),
      apiKey: text('apiKey'),
      origin,
    });
  } catch (error) {
    if (error instanceof AppError && CREDENTIAL_CODES.has(error.code)) return error;
    logger.error({ err: error }, 'A credential could not be checked');
    return new AppError('UNAVAILABLE', 'Credentials cannot be checked now.', { cause: error });
  }
}

/** The protocol wants a text; an empty one stands beside the hash of a document. */
function readPayload(payload: SubscribePayload): OperationRequest {
  const request = readOperationObject(payload);
  return { ...request, query: request.query === '' ? undefined : request.query };
}

function executionArgs(schema: GraphQLSchema, operation: Operation): ExecutionArgs {
  const { document, operationName } = operation.admitted;
  return { schema, document, operationName: operationName ?? null, contextValue: operation };
}

function createUpgrade(sockets: WebSocketServer, allowedOrigins: readonly string[]) {
  return (request: IncomingMessage, stream: Duplex, head: Buffer): void => {
    const { pathname } = new URL(request.url ?? '/', 'http://gateway.invalid');
    if (pathname !== '/graphql') refuse(stream, '404 Not Found');
    else if (!isAllowedOrigin(allowedOrigins, request.headers.origin)) refuse(stream, '403 Forbidden');
    else sockets.handleUpgrade(request, stream, head, (socket) => sockets.emit('connection', socket, request));
  };
}

function refuse(stream: Duplex, status: string): void {
  stream.on('error', () => stream.destroy());
  stream.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
}

function tooMany(): GraphQLError {
  const message = `A socket carries at most ${MAX_OPERATIONS_PER_SOCKET} operations.`;
  return new GraphQLError(message, { extensions: { code: 'RATE_LIMITED' } });
}
