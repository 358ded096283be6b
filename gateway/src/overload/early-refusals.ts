import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { type WholeRequest, WholeRequestReader } from './whole-request.ts';

/** A connection of which the next bytes are looked at. */
interface Watched {
  /** Of its requests that were parsed, how many are not answered. */
  underWay: number;
  /** The newest one, where it was answered before all of it had come. */
  coming: IncomingMessage | undefined;
  /** Of the newest one. */
  headerCount: number | undefined;
}

/**
 * Refuses what comes over connections on which something was refused before, without having it parsed: Node makes some
 * thirty objects of a request, which costs more than to refuse it. Only a whole request that comes when the one before was
 * answered is refused so, and only after the parser has read one just like it. With anything else its connection is left to
 * Node's parser, until something is refused again.
 */
export class EarlyRefusals {
  readonly #watched = new WeakMap<Socket, Watched>();
  /** The bytes of a refusal where there has to be one now. */
  readonly #refuse: (request: WholeRequest, socket: Socket) => Buffer | undefined;

  constructor(refuse: (request: WholeRequest, socket: Socket) => Buffer | undefined) {
    this.#refuse = refuse;
  }

  /** To be called with every request that was parsed. */
  note(req: IncomingMessage, res: ServerResponse): void {
    const watched = this.#watched.get(req.socket);
    if (watched === undefined) return;
    watched.underWay += 1;
    watched.coming = undefined;
    watched.headerCount = req.rawHeaders.length / 2;
    // Nothing of it is kept once it is answered: V8 would copy that for each of a thousand connections.
    res.once('close', () => {
      watched.underWay -= 1;
      if (!req.complete) watched.coming = req;
    });
  }

  /** Looks at what comes after a request that was refused. */
  watch(req: IncomingMessage, res: ServerResponse): void {
    const { socket } = req;
    const [parse, ...others] = socket.listeners('data') as ((chunk: Buffer) => void)[];
    if (this.#watched.has(socket) || parse === undefined || others.length > 0) return;
    const watched: Watched = { underWay: 0, coming: undefined, headerCount: undefined };
    // Whether the parser holds no beginning of another request, which may have come in one piece with the one before.
    let isSure = false;
    const reader = new WholeRequestReader();
    const look = (chunk: Buffer) => {
      const isBetween = watched.underWay === 0 && (watched.coming?.complete ?? true) && socket.writableLength === 0;
      const request = isBetween ? reader.read(chunk) : undefined;
      const refusal = isSure && request ? this.#refuse(request, socket) : undefined;
      if (refusal !== undefined) {
        socket.write(refusal);
        return;
      }
      watched.headerCount = undefined;
      parse(chunk);
      isSure = request !== undefined && watched.headerCount === request.headerCount;
      if (isSure) return;
      this.#watched.delete(socket);
      socket.off('data', look).on('data', parse);
    };
    this.#watched.set(socket, watched);
    this.note(req, res);
    socket.off('data', parse).on('data', look);
  }
}
