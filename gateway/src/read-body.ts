import type { IncomingMessage } from 'node:http';
import type { Readable } from 'node:stream';
import { createBrotliDecompress, createGunzip, createInflate } from 'node:zlib';
import { HttpError } from './http-error.ts';

const DECODERS: Record<string, () => NodeJS.ReadWriteStream & Readable> = {
  gzip: createGunzip,
  deflate: createInflate,
  br: createBrotliDecompress,
};

/** The text of a request's body, inflated. @throws HttpError when it is longer than `maxBytes`, or no text */
export async function readBody(req: IncomingMessage, maxBytes: number): Promise<string> {
  if (Number(req.headers['content-length'] ?? 0) > maxBytes) throw tooLarge(maxBytes);
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    for await (const chunk of decoded(req)) {
      size += (chunk as Buffer).length;
      if (size > maxBytes) throw tooLarge(maxBytes);
      chunks.push(chunk as Buffer);
    }
  } catch (cause) {
    if (cause instanceof HttpError) throw cause;
    throw new HttpError(400, 'BAD_REQUEST', 'The request body cannot be read.');
  }
  const [first] = chunks;
  return (chunks.length === 1 && first !== undefined ? first : Buffer.concat(chunks)).toString('utf8');
}

function decoded(req: IncomingMessage): Readable {
  const encoding = req.headers['content-encoding'] ?? 'identity';
  if (encoding === 'identity') return req;
  const decoder = DECODERS[encoding]?.();
  if (decoder === undefined) {
    throw new HttpError(415, 'BAD_REQUEST', `Wanted a body in gzip, deflate, br or identity, got "${encoding}".`);
  }
  req.on('error', (error) => decoder.destroy(error));
  return req.pipe(decoder);
}

function tooLarge(maxBytes: number): HttpError {
  return new HttpError(413, 'BAD_USER_INPUT', `The request body is too large: wanted at most ${maxBytes} bytes.`);
}
