import { pipeline } from 'node:stream/promises';
import type { RequestHandler } from 'express';
import { request } from 'undici';

const TIMEOUT_MS = 10_000;
const TOKEN = /^[\w.-]{1,500}$/;
/** What of the tenant subgraph's answer is passed on. */
const HEADERS = ['content-type', 'content-length', 'content-disposition', 'cache-control', 'x-content-type-options'];

/** Passes archives of users' data on to whoever has their link: the tenant subgraph checks it, and has the archives. */
export function createExportRoute({ tenantUrl }: { tenantUrl: string }): RequestHandler<{ token: string }> {
  return async (req, res) => {
    const { token } = req.params;
    if (!TOKEN.test(token)) {
      res.status(404).type('text/plain').send('There is no archive here, or not any more.');
      return;
    }
    const timeouts = { headersTimeout: TIMEOUT_MS, bodyTimeout: TIMEOUT_MS };
    const answer = await request(`${tenantUrl}/exports/${token}`, timeouts);
    res.status(answer.statusCode);
    for (const name of HEADERS) {
      const value = answer.headers[name];
      if (typeof value === 'string') res.set(name, value);
    }
    await pipeline(answer.body, res);
  };
}
