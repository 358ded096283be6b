import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { readWholeRequest, type WholeRequest } from './whole-request.ts';

/** The newest request of a connection, and its answer. */
interface Exchange {
  req: IncomingMessage;
  res: ServerResponse;
}

/**
 * Refuses what comes over connections on which something was refused before, without having it parsed: Node makes some
 * thirty objects of a request, which costs more than to refuse it. Only a whole request that comes when the one before was
 * answered is refused so, and only after the parser has read one just like it. With anything else its connection is left to
 * Node's parser, until something is refused again.
 */
export class EarlyRefusals {
  readonly #newest = new WeakMap<Socket, Exchange>();
  /** The bytes of a refusal where there has to be one now. */
  readonly #refuse: (request: WholeRequest) => Buffer | undefined;

  constructor(refuse: (request: WholeRequest) => Buffer | undefined) {
    this.#refuse = refuse;
  }

  /** To be called with every request that was parsed. */
  note(req: IncomingMessage, res: ServerResponse): void {
    const newest = this.#newest.get(req.socket);
    if (newest === undefined) return;
    newest.req = req;
    newest.res = res;
  }

  /** Looks at what comes after a request that was refused. */
  watch(req: IncomingMessage, res: ServerResponse): void {
    const { socket } = req;
    const [parse, ...others] = socket.listeners('data') as ((chunk: Buffer) => void)[];
    if (this.#newest.has(socket) || parse === undefined || others.length > 0) return;
    const newest = { req, res };
    // Whether the parser holds no beginning of another request, which may have come in one piece with the one before.
    let isSure = false;
    const look = (chunk: Buffer) => {
      const isBetween = newest.req.complete && newest.res.writableFinished && socket.writableLength === 0;
      const request = isBetween ? readWholeRequest(chunk) : undefined;
      const refusal = isSure && request ? this.#refuse(request) : undefined;
      if (refusal !== undefined) {
        socket.write(refusal);
        return;
      }
      const before = newest.req;
      parse(chunk);
      isSure = newest.req !== before && newest.req.rawHeaders.length === 2 * (request?.countHeaders() ?? 0);
      if (isSure) return;
      this.#newest.delete(socket);
      socket.off('data', look).on('data', parse);
    };
    this.#newest.set(socket, newest);
    socket.off('data', parse).on('data', look);
  }
}
