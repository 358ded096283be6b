import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Webhook } from 'standardwebhooks';

/** How a target answers one request. */
export interface TargetAnswer {
  status: number;
  headers?: Record<string, string>;
  body?: string;
}

/** A receiver of webhooks on this machine, which keeps what it got; `answers` are given in turn, then 200. */
export async function openWebhookTarget(answers: TargetAnswer[] = []) {
  const received: { headers: IncomingHttpHeaders; body: string }[] = [];
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => (body += chunk.toString('utf8')));
    request.on('end', () => {
      received.push({ headers: request.headers, body });
      const answer = answers.shift() ?? { status: 200 };
      response.writeHead(answer.status, answer.headers).end(answer.body ?? '');
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://hook.example:${(server.address() as AddressInfo).port}/`,
    received,
    /** What a request says, as the receiver's own library verifies it. @throws when its signature is wrong. */
    verify: (secret: string, index: number) =>
      new Webhook(secret).verify(received[index]?.body ?? '', received[index]?.headers as Record<string, string>),
    [Symbol.asyncDispose]: async () => {
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
