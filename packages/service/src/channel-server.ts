import { type IncomingMessage, type Server, STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import { type WebSocket, WebSocketServer } from 'ws';
import type { AdmitCall } from './admit-calls.ts';
import type { OperationsMessage, TextAnswer } from './answer-operations.ts';
import {
  CHANNEL_PATH,
  CHANNEL_PROTOCOL,
  DRAIN_MESSAGE,
  readCall,
  type SealedCall,
  writeAnswer,
} from './operation-channel.ts';
import { BODY_LIMIT_BYTES } from './request-pipeline.ts';
import type { Exchange } from './subgraph-request.ts';
import { newTraceId, readTraceId, runInTrace } from './trace.ts';
import { type WriteTogether, writeTogether } from './write-together.ts';

export interface ChannelOptions {
  /** What admits the calls of the channel that this upgrade asks for. @throws when it may not have one */
  open(req: IncomingMessage): AdmitCall;
  answer(message: OperationsMessage, exchange: Exchange): Promise<TextAnswer>;
  observe(answered: { status: number; startedAt: number }): void;
}

/** The channels of one server. */
export interface ChannelServer {
  /** Asks callers to go elsewhere and answers what they still ask; resolves when they have closed their channels, or had the time. */
  drain(timeoutMs: number): Promise<void>;
}

// The token and the words before a body.
const HEAD_LIMIT_BYTES = 64 * 1024;
// RFC 6455, section 7.4.1.
const MALFORMED = 1008;

/** Answers operations over WebSockets at CHANNEL_PATH; see `operation-channel.ts` for what is said there. */
export function serveChannels(http: Server, options: ChannelOptions): ChannelServer {
  const sockets = new WebSocketServer({
    noServer: true,
    perMessageDeflate: false,
    maxPayload: BODY_LIMIT_BYTES + HEAD_LIMIT_BYTES,
    handleProtocols: (offered) => offered.has(CHANNEL_PROTOCOL) && CHANNEL_PROTOCOL,
  });
  const channels = new Set<Channel>();
  let isDraining = false;
  http.on('upgrade', (req: IncomingMessage, socket: Duplex, head: Buffer) => {
    if (req.url !== CHANNEL_PATH) return refuse(socket, 404);
    if (isDraining) return refuse(socket, 503);
    let admit: AdmitCall;
    try {
      admit = options.open(req);
    } catch {
      return refuse(socket, 401);
    }
    sockets.handleUpgrade(req, socket, head, (webSocket) => {
      const channel = new Channel(webSocket, socket, { ...options, admit });
      channels.add(channel);
      webSocket.once('close', () => channels.delete(channel));
    });
  });
  return {
    drain: async (timeoutMs) => {
      isDraining = true;
      const closed = [...channels].map((channel) => channel.drain());
      const timer = setTimeout(() => {
        for (const channel of channels) channel.terminate();
      }, timeoutMs);
      await Promise.all(closed);
      clearTimeout(timer);
    },
  };
}

function refuse(socket: Duplex, status: number): void {
  socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n`);
}

type AdmittedOptions = Omit<ChannelOptions, 'open'> & { admit: AdmitCall };

class Channel {
  readonly #webSocket: WebSocket;
  readonly #options: AdmittedOptions;
  readonly #together: WriteTogether;
  readonly #underWay = new Map<number, ChannelExchange>();
  readonly #closed: Promise<void>;

  // oxlint-disable-next-line max-params -- the socket under a WebSocket is not the WebSocket's to give
  constructor(webSocket: WebSocket, socket: Duplex, options: AdmittedOptions) {
    this.#webSocket = webSocket;
    this.#options = options;
    this.#together = writeTogether(socket);
    this.#closed = new Promise((resolve) => {
      webSocket.once('close', () => {
        for (const exchange of this.#underWay.values()) exchange.close();
        this.#underWay.clear();
        resolve();
      });
    });
    // It closes after an error; who is told of it is the caller.
    webSocket.on('error', () => undefined);
    webSocket.on('message', (message: Buffer) => this.#hear(message));
  }

  /** Its caller closes it, with its last answer: what is on its way here would be lost otherwise. */
  drain(): Promise<void> {
    this.#say(DRAIN_MESSAGE);
    return this.#closed;
  }

  terminate(): void {
    this.#webSocket.terminate();
  }

  #hear(message: Buffer): void {
    const heard = readCall(message);
    if (heard === undefined) {
      this.#webSocket.close(MALFORMED, 'Wanted a call or its cancellation');
      return;
    }
    if (heard.kind === 'cancel') {
      this.#underWay.get(heard.id)?.close();
      this.#underWay.delete(heard.id);
      return;
    }
    const startedAt = performance.now();
    void runInTrace(readTraceId(heard.call.traceparent) ?? newTraceId(), async () => {
      const status = await this.#answer(heard);
      this.#options.observe({ status, startedAt });
    });
  }

  async #answer(heard: SealedCall): Promise<number> {
    const { id, hasLines, timeout } = heard.call;
    const exchange = new ChannelExchange(timeout);
    this.#underWay.set(id, exchange);
    const admit = () => this.#options.admit(heard);
    const answer = await this.#options.answer({ admit, body: heard.body, hasLines }, exchange);
    // Nobody waits for it otherwise.
    if (this.#underWay.get(id) === exchange) {
      this.#underWay.delete(id);
      this.#say(writeAnswer(id, answer));
    }
    exchange.close();
    return answer.status;
  }

  #say(message: string): void {
    this.#together(() => this.#webSocket.send(message));
  }
}

class ChannelExchange implements Exchange {
  readonly timeout: string;
  #isClosed = false;
  #listeners: (() => void)[] | undefined;

  constructor(timeout: string) {
    this.timeout = timeout;
  }

  get closed(): boolean {
    return this.#isClosed;
  }

  onClose(listener: () => void): void {
    (this.#listeners ??= []).push(listener);
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    for (const listener of this.#listeners ?? []) listener();
  }
}
