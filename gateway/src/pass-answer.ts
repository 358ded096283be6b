import { pipeline } from 'node:stream/promises';
import type { Response } from 'express';
import type { Dispatcher } from 'undici';

/** What of a subgraph's answer beside the graph reaches the client. */
const HEADERS = ['content-type', 'content-length', 'content-disposition', 'cache-control'];

/** Passes a subgraph's file on without holding it. */
export async function passAnswer(
  res: Response,
  { statusCode, headers, body }: Pick<Dispatcher.ResponseData, 'statusCode' | 'headers' | 'body'>,
): Promise<void> {
  res.status(statusCode).set('x-content-type-options', 'nosniff');
  for (const name of HEADERS) {
    const value = headers[name];
    if (typeof value === 'string') res.set(name, value);
  }
  await pipeline(body, res);
}
