import { connect, type Socket } from 'node:net';

export interface LoadRequest {
  path: string;
  headers: Readonly<Record<string, string>>;
  body: string;
}

export interface LoadAnswer {
  statusCode: number;
  text: string;
}

interface Asked {
  bytes: string;
  resolve(answer: LoadAnswer): void;
  reject(error: unknown): void;
}

const HEAD_END = '\r\n\r\n';
/** What is sent this long before the server would end the connection still arrives. */
const KEEP_ALIVE_MARGIN_MS = 2_000;

/**
 * Keep-alive connections for a load generator that shares its machine with what it measures: it posts, and reads answers
 * that say their `content-length`, for a third of what a general client costs. One request at a time on each connection,
 * none on one that has idled nearly as long as its server keeps it (RFC 9112, section 9.5).
 */
export class LoadConnections {
  readonly #port: number;
  readonly #host: string;
  readonly #most: number;
  readonly #idle: LoadConnection[] = [];
  readonly #all = new Set<LoadConnection>();
  // Who waits for a connection, the oldest last, and who came after them. A long array is moved as a whole by `shift`, which
  // would hold up a generator for good that was held up for a second.
  #oldest: Asked[] = [];
  #newest: Asked[] = [];
  readonly #lines = new WeakMap<LoadRequest['headers'], string>();

  constructor(origin: string, { connections }: { connections: number }) {
    const { hostname, port } = new URL(origin);
    this.#host = hostname;
    this.#port = Number(port);
    this.#most = connections;
  }

  /** @throws Error when the connection ends before the answer does, or the answer is of another form. */
  post({ path, headers, body }: LoadRequest): Promise<LoadAnswer> {
    const bytes = `POST ${path} ${this.#linesOf(headers)}${Buffer.byteLength(body)}${HEAD_END}${body}`;
    return new Promise((resolve, reject) => {
      const asked = { bytes, resolve, reject };
      const connection = this.#takeIdle() ?? this.#open();
      if (connection === undefined) this.#newest.push(asked);
      else connection.ask(asked);
    });
  }

  close(): void {
    for (const connection of this.#all) connection.close();
  }

  /** What follows the path, up to the length; written once for headers that are sent again. */
  #linesOf(headers: LoadRequest['headers']): string {
    let lines = this.#lines.get(headers);
    if (lines === undefined) {
      lines = `HTTP/1.1\r\nhost: ${this.#host}:${this.#port}\r\n`;
      for (const [name, value] of Object.entries(headers)) lines += `${name}: ${value}\r\n`;
      lines += 'content-length: ';
      this.#lines.set(headers, lines);
    }
    return lines;
  }

  /** The one used last. What its server is about to end is closed. */
  #takeIdle(): LoadConnection | undefined {
    for (let idle = this.#idle.pop(); idle !== undefined; idle = this.#idle.pop()) {
      if (idle.isKept) return idle;
      this.#all.delete(idle);
      idle.close();
    }
    return undefined;
  }

  #takeQueued(): Asked | undefined {
    if (this.#oldest.length === 0) {
      this.#oldest = this.#newest.toReversed();
      this.#newest = [];
    }
    return this.#oldest.pop();
  }

  #open(): LoadConnection | undefined {
    if (this.#all.size >= this.#most) return undefined;
    const connection = new LoadConnection(connect(this.#port, this.#host), {
      onFree: () => {
        const next = this.#takeQueued();
        if (next === undefined) this.#idle.push(connection);
        else connection.ask(next);
      },
      onClose: () => {
        this.#all.delete(connection);
        const place = this.#idle.indexOf(connection);
        if (place !== -1) this.#idle.splice(place, 1);
        const next = this.#takeQueued();
        if (next !== undefined) this.#open()?.ask(next);
      },
    });
    this.#all.add(connection);
    return connection;
  }
}

class LoadConnection {
  readonly #socket: Socket;
  readonly #onFree: () => void;
  #asked: Asked | undefined;
  #chunks: Buffer[] = [];
  #received = 0;
  /** Of the whole answer, once its head is here. */
  #wanted = Number.POSITIVE_INFINITY;
  #headEnd = 0;
  #statusCode = 0;
  #keptUntil = Number.POSITIVE_INFINITY;

  constructor(socket: Socket, { onFree, onClose }: { onFree: () => void; onClose: () => void }) {
    this.#socket = socket.setNoDelay(true);
    this.#onFree = onFree;
    socket.on('data', (chunk: Buffer) => this.#hear(chunk));
    // It closes after an error.
    let cause: unknown;
    socket.on('error', (error) => (cause = error));
    socket.once('close', () => {
      this.#asked?.reject(new Error('The connection ended before the answer', { cause }));
      onClose();
    });
  }

  ask(asked: Asked): void {
    this.#asked = asked;
    this.#socket.write(asked.bytes);
  }

  /** Whether its server keeps it open for another question, as it said with its last answer. */
  get isKept(): boolean {
    return performance.now() < this.#keptUntil;
  }

  close(): void {
    this.#socket.destroy();
  }

  #hear(chunk: Buffer): void {
    this.#chunks.push(chunk);
    this.#received += chunk.length;
    if (this.#headEnd === 0 && !this.#readHead()) return;
    if (this.#received < this.#wanted) return;
    const text = this.#all().toString('utf8', this.#headEnd, this.#wanted);
    const asked = this.#asked;
    const statusCode = this.#statusCode;
    this.#asked = undefined;
    this.#chunks = [];
    this.#received = 0;
    this.#headEnd = 0;
    this.#onFree();
    asked?.resolve({ statusCode, text });
  }

  /** Whether the head is here. */
  #readHead(): boolean {
    const bytes = this.#all();
    const end = bytes.indexOf(HEAD_END);
    if (end === -1) return false;
    const head = bytes.toString('latin1', 0, end);
    const length = /\r\ncontent-length: (\d+)/i.exec(head)?.[1];
    if (length === undefined || !head.startsWith('HTTP/1.1 ')) {
      this.#asked?.reject(new Error(`Wanted an answer with a content-length, got: ${head}`));
      this.#asked = undefined;
      this.#socket.destroy();
      return false;
    }
    this.#statusCode = Number(head.slice(9, 12));
    const keptForS = Number(/\r\nkeep-alive: timeout=(\d+)/i.exec(head)?.[1] ?? Number.POSITIVE_INFINITY);
    this.#keptUntil = performance.now() + keptForS * 1000 - KEEP_ALIVE_MARGIN_MS;
    this.#headEnd = end + HEAD_END.length;
    this.#wanted = this.#headEnd + Number(length);
    return true;
  }

  #all(): Buffer {
    if (this.#chunks.length > 1) this.#chunks = [Buffer.concat(this.#chunks)];
    return this.#chunks[0] ?? Buffer.alloc(0);
  }
}
