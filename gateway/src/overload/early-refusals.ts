import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { createRefusalBytes, NODE_SEES_EVERY_MS } from './refusal.ts';
import type { NativeConnection, NativeRefusals, RefusalsAddon } from './refusals-addon.ts';

/**
 * Refuses what comes over connections on which something was refused before, without having it parsed: Node makes some
 * thirty objects of a request, which costs more than to refuse it. Only a whole request that comes when the one before was
 * answered is refused so, and only after the parser has read one just like it. With anything else its connection is left to
 * Node's parser, until something is refused again.
 */
export class EarlyRefusals {
  readonly #native: NativeRefusals;
  readonly #connections = new WeakMap<Socket, NativeConnection>();
  /** The newest request of each connection that is to be watched. */
  readonly #waiting = new Map<Socket, IncomingMessage>();
  readonly #takeNewBytes: ReturnType<typeof createRefusalBytes>;

  constructor(addon: RefusalsAddon, allowedOrigins: readonly string[]) {
    this.#native = new addon.Refusals(NODE_SEES_EVERY_MS);
    this.#takeNewBytes = createRefusalBytes(allowedOrigins);
    this.refresh();
  }

  get refused(): number {
    return this.#native.refused;
  }

  setFull(isFull: boolean): void {
    this.#native.setFull(isFull);
  }

  takeAsked(): number {
    return this.#native.takeAsked();
  }

  /** To be called every few ms: begins to watch where something was refused, and keeps the answers of today's second. */
  refresh(): void {
    for (const [origin, answers] of this.#takeNewBytes()) this.#native.setAnswers(origin, answers);
    if (this.#waiting.size > 0) this.#watchWaiting();
  }

  /** To be called with every request that was parsed; whether its connection is counted by `takeAsked`. */
  note(req: IncomingMessage, res: ServerResponse): boolean {
    const connection = this.#connections.get(req.socket);
    if (connection === undefined) return false;
    if (this.#waiting.has(req.socket)) this.#waiting.set(req.socket, req);
    connection.beginRequest(req.rawHeaders.length / 2);
    res.once('close', () => connection.endRequest());
    return true;
  }

  /** Looks at what comes after a request that was refused. */
  watch(req: IncomingMessage, res: ServerResponse): void {
    const isKnown = this.#connections.has(req.socket);
    if (!isKnown) this.#connections.set(req.socket, this.#native.open());
    this.#waiting.set(req.socket, req);
    if (!isKnown) this.note(req, res);
  }

  #watchWaiting(): void {
    const connections: NativeConnection[] = [];
    const descriptors: number[] = [];
    for (const [socket, newest] of this.#waiting) {
      const connection = this.#connections.get(socket);
      const descriptor = descriptorOf(socket);
      // A body of which a part is missing could be taken for a request.
      if (connection === undefined || descriptor === undefined || !newest.complete) continue;
      connections.push(connection);
      descriptors.push(descriptor);
    }
    this.#waiting.clear();
    this.#native.watch(connections, descriptors);
  }
}

/** Undefined for a connection that is closed. Node does not publish it; without it nothing is refused early. */
export function descriptorOf(socket: Socket): number | undefined {
  const { _handle: handle } = socket as Socket & { _handle?: { fd?: number } | null };
  return handle?.fd;
}
