import { randomBytes } from 'node:crypto';
import { AppError } from '@kindred/domain/app-error';
import { type FormatError, toFormattedError } from '@kindred/service/format-error';
import { currentTraceId } from '@kindred/service/trace';
import type { Request, RequestHandler, Response } from 'express';
import type { Caller } from './caller.ts';
import type { ConnectionLimits } from './connection-limits.ts';
import { EventChannel } from './event-channel.ts';
import { scopeOf } from './executor/viewer-scope.ts';
import { readStreamRequest } from './stream-route.ts';
import { acceptsPartsInStream } from './media-type.ts';
import type { StreamedOperations } from './streamed-operations.ts';

export interface ChannelOptions {
  operations: StreamedOperations;
  connections: ConnectionLimits;
  callerOf: (res: Response) => Caller;
  formatError: FormatError;
  draining: AbortSignal;
}

/** The single connection mode of the graphql-sse protocol: one event stream for all operations of a page. */
export interface ChannelRoutes {
  /** PUT: reserves a stream, whose token is all that opening it takes: an EventSource sends no headers. */
  reserve: RequestHandler;
  /** GET: the stream itself. */
  open: RequestHandler;
  /** POST with a token: begins an operation. */
  subscribe: RequestHandler;
  /** DELETE with a token and `operationId`: ends one. */
  unsubscribe: RequestHandler;
}

const TOKEN_HEADER = 'x-graphql-event-stream-token';
/** A page opens the stream that it reserved within a round trip or two. */
const RESERVED_MS = 15_000;
const MAX_OPERATIONS_PER_CHANNEL = 50;
const MAX_ID_CHARS = 100;

interface Reservation {
  channel: EventChannel;
  /** Who may subscribe over it. */
  scope: string;
}

export function createChannelRoutes(options: ChannelOptions): ChannelRoutes {
  const { callerOf } = options;
  const reservations = new Map<string, Reservation>();
  const find = (req: Request): Reservation =>
    reservations.get(tokenOf(req) ?? '') ?? notFound('There is no such event stream; reserve one with PUT.');
  const own = (req: Request, res: Response): EventChannel => {
    const { channel, scope } = find(req);
    // Another tenant's stream, or another account's, is none.
    return scope === scopeOf(callerOf(res).credential.viewer) ? channel : notFound('There is no such event stream.');
  };
  return {
    reserve: (_req, res) => {
      const token = randomBytes(24).toString('base64url');
      const caller = callerOf(res);
      const channel = reserve(options, caller, () => reservations.delete(token));
      reservations.set(token, { channel, scope: scopeOf(caller.credential.viewer) });
      res.status(201).set('cache-control', 'no-store').type('text/plain').send(token);
    },
    open: (req, res) => {
      const { channel } = find(req);
      if (channel.isOpen) throw new AppError('CONFLICT', 'The event stream is open already.');
      channel.open(res);
    },
    subscribe: async (req, res) => {
      const errors = await subscribe(options.operations, own(req, res), {
        body: req.body,
        caller: callerOf(res),
        accept: req.get('accept'),
      });
      if (errors === undefined) res.status(202).end();
      else res.status(400).json({ errors });
    },
    unsubscribe: (req, res) => {
      const { operationId } = req.query;
      const channel = own(req, res);
      if (typeof operationId === 'string') channel.stop(operationId);
      res.status(200).end();
    },
  };
}

/** The token that names a reserved stream, as clients and as EventSources send it. */
export function tokenOf(req: Request): string | undefined {
  const { token } = req.query;
  return req.get(TOKEN_HEADER) ?? (typeof token === 'string' ? token : undefined);
}

function reserve({ connections, formatError, draining }: ChannelOptions, caller: Caller, forget: () => void) {
  const giveBack = connections.take(caller);
  if (giveBack === undefined) throw new AppError('RATE_LIMITED', 'Too many connections are open; close some.');
  const channel = new EventChannel({
    credential: caller.credential,
    draining,
    formatEnd: (error) => ({ errors: [toFormattedError(error, formatError)] }),
    onEnd: () => {
      clearTimeout(unused);
      forget();
      giveBack();
    },
  });
  const unused = setTimeout(() => {
    if (!channel.isOpen) channel.end();
  }, RESERVED_MS).unref();
  return channel;
}

async function subscribe(
  operations: StreamedOperations,
  channel: EventChannel,
  { body, caller, accept }: { body: unknown; caller: Caller; accept: string | undefined },
) {
  const request = readStreamRequest(body);
  const { operationId: id } = request.extensions;
  if (typeof id !== 'string' || id === '' || id.length > MAX_ID_CHARS) {
    throw new AppError('BAD_USER_INPUT', `extensions.operationId: wanted a string of 1 to ${MAX_ID_CHARS} characters.`);
  }
  const admitted = await operations.admit({ request, caller, acceptsParts: acceptsPartsInStream(accept) });
  if (!('open' in admitted)) return admitted;
  // After whatever was waited for: from here on nothing comes between.
  const problem = whyNoRoom(channel, id);
  if (problem !== undefined) {
    admitted.drop();
    throw problem;
  }
  channel.add(id, admitted.open({ credential: caller.credential, traceId: currentTraceId(), isWatched: true }));
  return undefined;
}

function whyNoRoom(channel: EventChannel, id: string): AppError | undefined {
  if (channel.has(id)) return new AppError('CONFLICT', `The operationId "${id}" is in use.`);
  if (channel.size < MAX_OPERATIONS_PER_CHANNEL) return undefined;
  return new AppError('RATE_LIMITED', `An event stream carries at most ${MAX_OPERATIONS_PER_CHANNEL} operations.`);
}

function notFound(message: string): never {
  throw new AppError('NOT_FOUND', message);
}
