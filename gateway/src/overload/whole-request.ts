const HEAD_END = '\r\n\r\n';
/** Longer heads are left to Node's parser. */
const MAX_HEAD_BYTES = 8_192;
/** Its first line, then headers of the strictest form. */
const HEAD = /^POST \/graphql(?:\?\S*)? HTTP\/1\.1\r\n(?:[\w!#$%&'*+.^`|~-]+:[^\r\n\0]*\r\n)+$/;
const LENGTH = /\r\ncontent-length: *(\d{1,9}) *\r\n/i;
/** What changes how a request is framed, or what becomes of its connection. */
const SPECIAL =
  /\r\n(?:transfer-encoding|content-length[^\r]*\r\n(?:[^\r]*\r\n)*content-length|expect|upgrade|connection: *(?!keep-alive *\r))/i;
const ORIGIN = /\r\norigin: *(\S*) *\r\n/i;

/** A request for an operation, as far as it is needed to refuse it. */
export interface WholeRequest {
  origin: string | undefined;
  /** How many headers it has. */
  countHeaders(): number;
}

/**
 * What came over a connection, if it is one request for an operation from its first byte to its last, of the plainest form
 * (RFC 9112, sections 3 and 6.2); undefined where it may be anything else.
 */
export function readWholeRequest(chunk: Buffer): WholeRequest | undefined {
  const headEnd = chunk.indexOf(HEAD_END);
  if (headEnd === -1 || headEnd > MAX_HEAD_BYTES) return undefined;
  const head = chunk.toString('latin1', 0, headEnd + 2);
  if (!HEAD.test(head) || SPECIAL.test(head)) return undefined;
  const length = LENGTH.exec(head)?.[1];
  if (length === undefined || chunk.length !== headEnd + HEAD_END.length + Number(length)) return undefined;
  return { origin: ORIGIN.exec(head)?.[1], countHeaders: () => head.split('\r\n').length - 2 };
}
