import type { Viewer } from '@kindred/domain/viewer';
import type { CallSeal } from '@kindred/service/call-seal';
import { INTERNAL_TOKEN_HEADER } from '@kindred/service/internal-token';
import {
  CHANNEL_PATH,
  CHANNEL_PROTOCOL,
  type ChannelCall,
  DRAIN_MESSAGE,
  readAnswerMessage,
  writeCall,
  writeCancel,
} from '@kindred/service/operation-channel';
import { type WriteTogether, writeTogether } from '@kindred/service/write-together';
import { WebSocket } from 'ws';
import type { TextAnswer } from './subgraph-client.ts';

const CONNECT_TIMEOUT_MS = 3_000;
/** A subgraph that does not answer a ping until the next one is gone. */
const PING_MS = 10_000;
/** Some ten queries: the subgraph begins with them while the gateway goes on with its turn. */
const MOST_HELD_BYTES = 2_000;
// An answer may be larger than any question.
const MOST_ANSWER_BYTES = 256 * 1024 * 1024;

interface Waiting {
  resolve(answer: TextAnswer): void;
  reject(error: unknown): void;
}

/** What the gateway shows a subgraph. */
export interface ChannelKeys {
  /** Admits CHANNEL_REQUEST there. */
  token: string;
  seal: CallSeal;
}

export interface CallContent {
  viewer: Viewer;
  body: string;
}

type State = 'connecting' | 'open' | 'retired' | 'closed';

/** One WebSocket to a subgraph on which operations are asked; see `operation-channel.ts`. */
export class SubgraphChannel {
  readonly #webSocket: WebSocket;
  readonly #seal: CallSeal;
  readonly #waiting = new Map<number, Waiting>();
  readonly openedAt = performance.now();
  #state: State = 'connecting';
  #together: WriteTogether = (write) => write();
  #lastId = 0;
  #pings: NodeJS.Timeout | undefined;
  #isAlive = true;

  /** Begins to connect to a subgraph's origin. `onClose` hears whether it was ever open. */
  constructor(origin: string, { token, seal }: ChannelKeys, onClose: (wasOpen: boolean) => void) {
    this.#seal = seal;
    const url = new URL(CHANNEL_PATH, origin.replace(/^http/, 'ws'));
    this.#webSocket = new WebSocket(url, CHANNEL_PROTOCOL, {
      perMessageDeflate: false,
      maxPayload: MOST_ANSWER_BYTES,
      handshakeTimeout: CONNECT_TIMEOUT_MS,
      headers: { [INTERNAL_TOKEN_HEADER]: token },
    });
    let wasOpen = false;
    this.#webSocket.once('upgrade', ({ socket }) => {
      socket.setNoDelay(true);
      this.#together = writeTogether(socket, { mostBytes: MOST_HELD_BYTES });
    });
    this.#webSocket.once('open', () => {
      wasOpen = true;
      this.#state = 'open';
      this.#pings = setInterval(() => this.#ping(), PING_MS).unref();
    });
    this.#webSocket.on('pong', () => {
      this.#isAlive = true;
    });
    this.#webSocket.on('message', (message: Buffer) => this.#hear(message));
    // It closes after an error.
    this.#webSocket.on('error', () => undefined);
    this.#webSocket.once('close', () => {
      this.#state = 'closed';
      clearInterval(this.#pings);
      const lost = new Error('The channel to the subgraph was lost');
      for (const waiting of this.#waiting.values()) waiting.reject(lost);
      this.#waiting.clear();
      onClose(wasOpen);
    });
  }

  get state(): State {
    return this.#state;
  }

  /** How many calls are not answered yet. */
  get underWay(): number {
    return this.#waiting.size;
  }

  /** Of an open channel. @throws Error when the channel is lost; the signal's reason when it aborts */
  send(call: Omit<ChannelCall, 'id' | 'issuedAt'>, content: CallContent, signal: AbortSignal): Promise<TextAnswer> {
    return new Promise((resolve, reject) => {
      if (signal.aborted) {
        reject(signal.reason);
        return;
      }
      const id = ++this.#lastId;
      const abort = () => {
        this.#waiting.delete(id);
        this.#say(writeCancel(id));
        this.#closeWhenDone();
        reject(signal.reason);
      };
      signal.addEventListener('abort', abort, { once: true });
      const stay = () => signal.removeEventListener('abort', abort);
      this.#waiting.set(id, {
        resolve: (answer) => {
          stay();
          resolve(answer);
        },
        reject: (error) => {
          stay();
          reject(error);
        },
      });
      this.#say(writeCall({ id, issuedAt: Math.floor(Date.now() / 1000), ...call }, content, this.#seal.sign));
    });
  }

  /** Takes nothing more, and closes with its last answer. */
  retire(): void {
    if (this.#state === 'open') this.#state = 'retired';
    this.#closeWhenDone();
  }

  /** Whoever waits is told that it was lost. */
  terminate(): void {
    this.#webSocket.terminate();
  }

  #hear(message: Buffer): void {
    const answer = readAnswerMessage(message);
    if (answer === undefined) {
      if (message.toString('latin1') === DRAIN_MESSAGE) this.retire();
      else this.terminate();
      return;
    }
    const waiting = this.#waiting.get(answer.id);
    // Cancelled, it may have been answered before that was heard.
    if (waiting === undefined) return;
    this.#waiting.delete(answer.id);
    waiting.resolve({ statusCode: answer.status, text: answer.text });
    this.#closeWhenDone();
  }

  #say(message: string): void {
    this.#together(() => this.#webSocket.send(message));
  }

  #closeWhenDone(): void {
    if (this.#state === 'retired' && this.#waiting.size === 0) this.#webSocket.close();
  }

  #ping(): void {
    if (!this.#isAlive) return this.terminate();
    this.#isAlive = false;
    this.#webSocket.ping();
  }
}
