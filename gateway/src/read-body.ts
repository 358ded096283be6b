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
  const body = decoded(req);
  // Listeners: iterating a request costs more than everything else that is done with it before its plan runs.
  return await new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let sizeBytes = 0;
    const fail = (error: HttpError) => {
      body.removeAllListeners('data');
      req.unpipe();
      req.resume();
      reject(error);
    };
    body.on('data', (chunk: Buffer) => {
      sizeBytes += chunk.length;
      if (sizeBytes > maxBytes) fail(tooLarge(maxBytes));
      else chunks.push(chunk);
    });
    const unreadable = () => fail(new HttpError(400, 'BAD_REQUEST', 'The request body cannot be read.'));
    body.once('end', () => {
      body.off('close', unreadable);
      resolve(textOf(chunks));
    });
    body.once('error', unreadable);
    body.once('close', unreadable);
  });
}

function textOf(chunks: readonly Buffer[]): string {
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
