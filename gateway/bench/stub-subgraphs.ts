// Four subgraphs in one process that answer at once and check nothing: what is left is the gateway's own work.
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { SUBGRAPHS } from '../src/subgraphs.ts';

interface Request {
  query: string;
  variables?: { first?: number; representations?: { __typename: string; id: string }[] };
}

const ENTITIES: Record<string, (id: string) => object> = {
  Item: (id) => ({ __typename: 'Item', title: `Film ${id}`, categories: ['Drama', 'Comedy'] }),
  ModelVersion: () => ({
    __typename: 'ModelVersion',
    number: 3,
    model: { __typename: 'Model', id: 'mdl_1', name: 'For you', tenant: { __typename: 'Tenant', id: 'tnt_1' } },
  }),
  Tenant: () => ({ __typename: 'Tenant', name: 'Acme' }),
};

function answer({ query, variables: { first = 20, representations } = {} }: Request): object {
  if (representations !== undefined) {
    return { _entities: representations.map(({ __typename: type, id }) => ENTITIES[type]?.(id)) };
  }
  if (query.includes('item(')) return { item: { id: 'itm_1', title: 'Film 1' } };
  const edges = Array.from({ length: first }, (_, index) => ({
    rank: index + 1,
    score: 1 - index / 100,
    node: { __typename: 'Item', id: `itm_${index}` },
  }));
  const connection = { status: 'PERSONALIZED', modelVersion: { __typename: 'ModelVersion', id: 'ver_1' }, edges };
  return query.includes('similarItems') ? { similarItems: connection } : { recommend: connection };
}

let requests = 0;
const publicKeys: object[] = [];

function startStub(): Promise<string> {
  const server = createServer((req, res) => {
    const chunks: Buffer[] = [];
    req.on('data', (chunk: Buffer) => void chunks.push(chunk));
    req.on('end', () => {
      const isQuery = req.method === 'POST';
      if (isQuery) requests += 1;
      const body = isQuery
        ? { data: answer(JSON.parse(Buffer.concat(chunks).toString('utf8')) as Request) }
        : { keys: publicKeys };
      const text = JSON.stringify(body);
      res.writeHead(200, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) }).end(text);
    });
  });
  server.keepAliveTimeout = 60_000;
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => resolve(`http://127.0.0.1:${(server.address() as AddressInfo).port}`));
  });
}

process.on('message', (message: { publicKey?: object }) => {
  if (message.publicKey !== undefined) publicKeys.push(message.publicKey);
  process.send?.({ requests });
});
process.on('disconnect', () => process.exit());
const urls = await Promise.all(SUBGRAPHS.map(async (name) => [name, await startStub()] as const));
process.send?.({ urls: Object.fromEntries(urls) });
