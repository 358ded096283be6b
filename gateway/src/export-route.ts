import type { RequestHandler } from 'express';
import { request } from 'undici';
import { passAnswer } from './pass-answer.ts';

const TIMEOUT_MS = 10_000;
const TOKEN = /^[\w.-]{1,500}$/;

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
    await passAnswer(res, answer);
  };
}
