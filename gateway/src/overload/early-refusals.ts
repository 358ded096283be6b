import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { KEEP_ALIVE_MS } from '@kindred/service/http-server';
import { createRefusalBytes } from './refusal.ts';
import type { NativeConnection, NativeRefusals, RefusalsAddon } from './refusals-addon.ts';

/** Node closes a connection of which it sees nothing for `KEEP_ALIVE_MS`. */
const PASS_EVERY_MS = KEEP_ALIVE_MS / 2;

/**
 * Refuses what comes over connections on which something was refused before, without having it parsed: Node makes some
 * thirty objects of a request, which costs more than to refuse it. Only a whole request that comes when the one before was
 * answered is refused so, and only after the parser has read one just like it. With anything else its connection is left to
 * Node's parser, until something is refused again.
 */
export class EarlyRefusals {
  readonly #native: NativeRefusals;
  readonly #connections = new WeakMap<Socket, NativeConnection>();
  readonly #takeNewBytes: ReturnType<typeof createRefusalBytes>;

  constructor(addon: RefusalsAddon, allowedOrigins: readonly string[]) {
    this.#native = new addon.Refusals(PASS_EVERY_MS);
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

  /** To be called several times a second: answers say when they were given. */
  refresh(): void {
    for (const [origin, answers] of this.#takeNewBytes()) this.#native.setAnswers(origin, answers);
  }

  /** To be called with every request that was parsed; whether its connection is counted by `takeAsked`. */
  note(req: IncomingMessage, res: ServerResponse): boolean {
    const connection = this.#connections.get(req.socket);
    if (connection === undefined) return false;
    connection.beginRequest(req.rawHeaders.length / 2);
    res.once('close', () => connection.endRequest());
    return true;
  }

  /** Looks at what comes after a request that was refused. */
  watch(req: IncomingMessage, res: ServerResponse): void {
    const { socket } = req;
    if (!this.#connections.has(socket)) {
      this.#connections.set(socket, this.#native.open());
      this.note(req, res);
    }
    // It is answered before the parser comes to its body, which has come with it or not.
    res.once('close', () => setImmediate(() => this.#watchAfter(req)));
  }

  #watchAfter({ complete, socket }: IncomingMessage): void {
    const descriptor = descriptorOf(socket);
    if (complete && descriptor !== undefined) this.#connections.get(socket)?.watch(descriptor);
  }
}

/** Undefined for a connection that is closed. Node does not publish it; without it nothing is refused early. */
function descriptorOf(socket: Socket): number | undefined {
  const { _handle: handle } = socket as Socket & { _handle?: { fd?: number } | null };
  return handle?.fd;
}
