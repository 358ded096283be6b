import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, test } from 'vitest';
import type { LoadLimit } from './load-limit.ts';
import { shedLoad } from './shed-load.ts';

const PAGE = 'https://app.example.test';

/** A server of which one operation at a time may be under way, and which answers when it is told to. */
async function startTestServer() {
  let underWay = 0;
  let shed = 0;
  const limit: LoadLimit = {
    begin: () => {
      if (underWay === 0) underWay += 1;
      else shed += 1;
      return shed === 0;
    },
    end: () => void (underWay -= 1),
    check: () => {},
    stats: () => ({ underWay, limit: 1, shed }),
  };
  const served: ServerResponse[] = [];
  const server = createServer(
    shedLoad((_req, res) => void served.push(res), {
      limit,
      allowedOrigins: [PAGE],
    }),
  );
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/graphql`;
  const ask = () => fetch(url, { method: 'POST', headers: { origin: PAGE }, body: 'not read' });
  return {
    server,
    served,
    limit,
    ask,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => void server.close(resolve));
    },
  };
}

test('what is too much is told when to come again, without being served, and its page can read it', async () => {
  await using started = await startTestServer();
  const { server, served, limit, ask } = started;
  const first = ask();
  await once(server, 'request');
  const second = await ask();
  expect(second.status).toBe(503);
  expect(Number(second.headers.get('retry-after'))).toBeGreaterThan(0);
  expect(second.headers.get('access-control-allow-origin')).toBe(PAGE);
  expect(await second.json()).toMatchObject({ errors: [{ extensions: { code: 'UNAVAILABLE' } }] });
  expect(served).toHaveLength(1);
  const [answer] = served;
  answer?.end('done');
  expect(await (await first).text()).toBe('done');
  if (answer?.closed === false) await once(answer, 'close');
  expect(limit.stats().underWay).toBe(0);
});
