import type { Viewer } from '@kindred/domain/viewer';
import { SEAL_CHARS } from './call-seal.ts';

/**
 * Operations and their answers as messages of one WebSocket (RFC 6455): many are under way at once, each is answered when
 * it is ready, and what a turn of the event loop has to say leaves together. A message is a line of words, and what it
 * carries after it. A call says what the gateway would say in headers and in a token: when, how long it waits, and who asks.
 */
export const CHANNEL_PATH = '/graphql/channel';
export const CHANNEL_PROTOCOL = 'kindred-operations.v1';

/** What the token of a channel's upgrade is signed for. */
export const CHANNEL_REQUEST = `GET ${CHANNEL_PATH}`;

/** The subgraph answers what it has, and wants nothing more on this channel. */
export const DRAIN_MESSAGE = 'drain';

/** What is said of a body of operations. */
export interface ChannelCall {
  /** Greater than that of any call before it on this channel. */
  id: number;
  /** Seconds since 1970. */
  issuedAt: number;
  traceparent: string;
  /** As in `TIMEOUT_HEADER`; empty when the caller waits for as long as it takes. */
  timeout: string;
  /** Whether the body is several operations, one a line. */
  hasLines: boolean;
  clientAddress: string | null;
}

const LINES = 'lines';
const ONE = 'one';
const CANCEL = 'cancel';
const NONE = '-';

// A viewer asks many times.
const written = new WeakMap<Viewer, string>();

/** A call, with the seal that `seal` makes of all the rest. */
export function writeCall(
  call: ChannelCall,
  { viewer, body }: { viewer: Viewer; body: string },
  seal: (text: string) => string,
): string {
  const { id, issuedAt, traceparent, timeout, hasLines, clientAddress } = call;
  let who = written.get(viewer);
  if (who === undefined) written.set(viewer, (who = JSON.stringify(viewer)));
  const form = hasLines ? LINES : ONE;
  const text = `${id} ${issuedAt} ${traceparent} ${timeout === '' ? NONE : timeout} ${form} ${clientAddress ?? NONE}\n${who}\n${body}`;
  return `${seal(text)}${text}`;
}

/** Nobody waits for the answer to this call any more. */
export function writeCancel(id: number): string {
  return `${CANCEL} ${id}`;
}

export function writeAnswer(id: number, { status, text }: { status: number; text: string }): string {
  return `${id} ${status}\n${text}`;
}

/** A call whose seal nobody has looked at. */
export interface SealedCall {
  kind: 'call';
  call: ChannelCall;
  seal: Buffer;
  sealed: Buffer;
  /** The viewer in JSON. */
  who: string;
  body: Buffer;
}

/** What a caller says; undefined when it is nothing that `writeCall` or `writeCancel` writes. */
export function readCall(message: Buffer): SealedCall | { kind: 'cancel'; id: number } | undefined {
  const headEnd = message.indexOf('\n');
  if (headEnd === -1) {
    const [word, id = '', ...more] = message.toString('latin1').split(' ');
    return word === CANCEL && more.length === 0 && isNumber(id) ? { kind: 'cancel', id: Number(id) } : undefined;
  }
  const whoEnd = message.indexOf('\n', headEnd + 1);
  const call = headEnd < SEAL_CHARS ? undefined : readHead(message.toString('latin1', SEAL_CHARS, headEnd));
  if (whoEnd === -1 || call === undefined) return undefined;
  return {
    kind: 'call',
    call,
    seal: message.subarray(0, SEAL_CHARS),
    sealed: message.subarray(SEAL_CHARS),
    who: message.toString('utf8', headEnd + 1, whoEnd),
    body: message.subarray(whoEnd + 1),
  };
}

function readHead(head: string): ChannelCall | undefined {
  const [id = '', issuedAt = '', traceparent = '', timeout = '', form, clientAddress, ...more] = head.split(' ');
  if (clientAddress === undefined || more.length > 0 || !isNumber(id) || !isNumber(issuedAt)) return undefined;
  if (form !== LINES && form !== ONE) return undefined;
  return {
    id: Number(id),
    issuedAt: Number(issuedAt),
    traceparent,
    timeout: timeout === NONE ? '' : timeout,
    hasLines: form === LINES,
    clientAddress: clientAddress === NONE ? null : clientAddress,
  };
}

/** What a subgraph says to a call; undefined when it is nothing that `writeAnswer` writes. */
export function readAnswerMessage(message: Buffer): { id: number; status: number; text: string } | undefined {
  const end = message.indexOf('\n');
  const [id = '', status = '', ...more] = message.toString('latin1', 0, Math.max(0, end)).split(' ');
  if (more.length > 0 || !isNumber(id) || !/^\d{3}$/.test(status)) return undefined;
  return { id: Number(id), status: Number(status), text: message.toString('utf8', end + 1) };
}

function isNumber(text: string): boolean {
  return /^\d{1,15}$/.test(text);
}
