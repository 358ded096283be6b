/**
 * Operations and their answers as messages of one WebSocket (RFC 6455): many are under way at once, each is answered when
 * it is ready, and what a turn of the event loop has to say leaves together. A message is a line of words, and what it
 * carries after it. What the gateway says is what it would say in headers: a body admitted here has its own token.
 */
export const CHANNEL_PATH = '/graphql/channel';
export const CHANNEL_PROTOCOL = 'kindred-operations.v1';

/** What the token of a channel's upgrade is signed for. */
export const CHANNEL_REQUEST = `GET ${CHANNEL_PATH}`;

/** The subgraph answers what it has, and wants nothing more on this channel. */
export const DRAIN_MESSAGE = 'drain';

/** A body of operations on its way. */
export interface ChannelCall {
  id: string;
  traceparent: string;
  /** As in `TIMEOUT_HEADER`; empty when the caller waits for as long as it takes. */
  timeout: string;
  hasLines: boolean;
  token: string;
}

const LINES = 'lines';
const ONE = 'one';
const CANCEL = 'cancel';
const NONE = '-';

export function writeCall({ id, traceparent, timeout, hasLines, token }: ChannelCall, body: string): string {
  return `${id} ${traceparent} ${timeout === '' ? NONE : timeout} ${hasLines ? LINES : ONE} ${token}\n${body}`;
}

/** Nobody waits for the answer to this call any more. */
export function writeCancel(id: string): string {
  return `${id} ${CANCEL}`;
}

export function writeAnswer(id: string, { status, text }: { status: number; text: string }): string {
  return `${id} ${status}\n${text}`;
}

export type CallMessage = { kind: 'call'; call: ChannelCall; body: Buffer } | { kind: 'cancel'; id: string };

/** What a caller says; undefined when it is nothing that `writeCall` or `writeCancel` writes. */
export function readCall(message: Buffer): CallMessage | undefined {
  const { words, rest } = split(message);
  const [id = '', traceparent = '', timeout = '', form, token, ...more] = words;
  if (rest === undefined) {
    return words.length === 2 && traceparent === CANCEL ? { kind: 'cancel', id } : undefined;
  }
  if (token === undefined || more.length > 0 || (form !== LINES && form !== ONE)) return undefined;
  const call = { id, traceparent, timeout: timeout === NONE ? '' : timeout, hasLines: form === LINES, token };
  return { kind: 'call', call, body: rest };
}

/** What a subgraph says to a call; undefined when it is nothing that `writeAnswer` writes. */
export function readAnswerMessage(message: Buffer): { id: string; status: number; text: string } | undefined {
  const { words, rest } = split(message);
  const [id, status = '', ...more] = words;
  if (id === undefined || rest === undefined || more.length > 0 || !/^\d{3}$/.test(status)) return undefined;
  return { id, status: Number(status), text: rest.toString('utf8') };
}

function split(message: Buffer): { words: string[]; rest: Buffer | undefined } {
  const end = message.indexOf('\n');
  if (end === -1) return { words: message.toString('latin1').split(' '), rest: undefined };
  return { words: message.toString('latin1', 0, end).split(' '), rest: message.subarray(end + 1) };
}
