import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ForbiddenTargetError, postPublicly, PUBLIC_TARGETS, readTarget, type TargetRules } from './post-publicly.ts';
import { isPublicAddress } from './public-address.ts';

const HOSTS = [
  '127.0.0.1',
  '127.1',
  '127.0.1',
  '127.255.255.254',
  '2130706433',
  '0x7f000001',
  '0x7f.1',
  '0177.0.0.1',
  '017700000001',
  '127.0.0.1.',
  '0.0.0.0',
  '0',
  '0x0',
  '10.0.0.1',
  '10.255.255.255',
  '0xa.0.0.1',
  '167772161',
  '100.64.0.1',
  '100.127.255.255',
  '169.254.169.254',
  '0xa9fea9fe',
  '2852039166',
  '0251.0376.0251.0376',
  '169.254.0.1',
  '172.16.0.1',
  '172.31.255.255',
  '192.0.0.1',
  '192.0.0.170',
  '192.0.2.1',
  '192.88.99.1',
  '192.168.0.1',
  '192.168.1',
  '3232235521',
  '198.18.0.1',
  '198.19.255.255',
  '198.51.100.1',
  '203.0.113.1',
  '224.0.0.1',
  '239.255.255.255',
  '240.0.0.1',
  '255.255.255.255',
  '[::]',
  '[::1]',
  '[0:0:0:0:0:0:0:1]',
  '[::ffff:127.0.0.1]',
  '[::ffff:7f00:1]',
  '[::ffff:10.0.0.1]',
  '[::ffff:169.254.169.254]',
  '[::ffff:8.8.8.8]',
  '[::127.0.0.1]',
  '[64:ff9b::7f00:1]',
  '[64:ff9b::169.254.169.254]',
  '[64:ff9b:1::1]',
  '[100::1]',
  '[2001::1]',
  '[2001:0:7f00:1::]',
  '[2001:10::1]',
  '[2001:20::1]',
  '[2001:db8::1]',
  '[2002:7f00:1::]',
  '[2002:a9fe:a9fe::1]',
  '[3fff::1]',
  '[5f00::1]',
  '[fc00::1]',
  '[fd00:ec2::254]',
  '[fdff::1]',
  '[fe80::1]',
  '[febf::1]',
  '[fec0::1]',
  '[ff02::1]',
  '[ff0e::1]',
  '１２７.0.0.1',
  '①②⑦.0.0.1',
  '127。0。0。1',
];
const URLS = [
  ...HOSTS.map((host) => `https://${host}/hook`),
  'http://example.com/',
  'ftp://example.com/',
  'file:///etc/passwd',
  'gopher://example.com/',
  'ws://example.com/',
  'data:text/plain,x',
  'javascript:1',
  'https://user@example.com/',
  'https://user:password@example.com/',
  'https://:80@example.com/',
  'https:///',
  'https://',
  '//example.com',
  'example.com',
  '',
  'https://[::1',
  'https://127.0.0.1:443/',
  'https://[::1]:8443/',
];

test('there are far more than 60 forms of addresses that nobody may have us call', () => {
  expect(new Set(URLS).size).toBeGreaterThanOrEqual(90);
});

test.each(URLS)('%s is refused before any name is resolved', async (url) => {
  const rules: TargetRules = { ...PUBLIC_TARGETS, resolve: () => Promise.reject(new Error('resolved')) };
  expect(() => readTarget(url, rules)).toThrow(ForbiddenTargetError);
  await expect(postPublicly(url, { headers: {}, body: '' }, rules)).rejects.toThrow(ForbiddenTargetError);
});

test.each([
  ['127.0.0.1'],
  ['::1'],
  ['169.254.169.254'],
  ['::ffff:10.0.0.1'],
  ['fe80::1%eth0'],
  ['93.184.215.14', '10.0.0.1'],
  ['2606:4700::1', '::1'],
  [],
])('a name that leads to %j is refused, also where another of its addresses is public', async (...addresses) => {
  const rules: TargetRules = {
    ...PUBLIC_TARGETS,
    resolve: async () => addresses.filter((address) => address !== undefined),
  };
  const posted = postPublicly('https://hook.example/', { headers: {}, body: '' }, rules);
  await expect(posted).rejects.toThrow(ForbiddenTargetError);
});

test.each(['localhost', 'LOCALHOST'])('the name %s is refused by what it leads to on this machine', async (name) => {
  await expect(postPublicly(`https://${name}/`, { headers: {}, body: '' })).rejects.toThrow(ForbiddenTargetError);
});

test.each([
  '8.8.8.8',
  '1.1.1.1',
  '172.15.255.255',
  '172.32.0.1',
  '100.63.255.255',
  '2606:4700:4700::1111',
  '2a00:1450::1',
])('%s is public', (address) => {
  expect(isPublicAddress(address)).toBe(true);
});

const received: { request: IncomingMessage; body: string }[] = [];
const server = createServer((request, response) => {
  let body = '';
  request.on('data', (chunk: Buffer) => (body += chunk.toString('utf8')));
  request.on('end', () => {
    received.push({ request, body });
    if (request.url === '/redirect') response.writeHead(302, { location: '/elsewhere' });
    response.end('x'.repeat(1_000_000));
  });
});
beforeAll(() => new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve)));
afterAll(() => new Promise((resolve) => server.close(resolve)));

/** As if 127.0.0.1 were the one public address, and each resolution told another: only the first may count. */
function rulesOfThisMachine(): TargetRules {
  const answers = [['127.0.0.1'], ['10.0.0.1']];
  return {
    protocols: ['http:'],
    isAllowed: (address) => address === '127.0.0.1',
    resolve: async () => answers.shift() ?? [],
  };
}

test('a post goes to the address that was checked, under the name of the URL, and follows no redirect', async () => {
  const { port } = server.address() as AddressInfo;
  const post = (path: string) =>
    postPublicly(
      `http://hook.example:${port}${path}`,
      { headers: { 'x-test': 'a' }, body: 'höok' },
      rulesOfThisMachine(),
    );
  expect(await post('/here?a=1')).toMatchObject({ status: 200, body: 'x'.repeat(1_024) });
  expect(await post('/redirect')).toMatchObject({ status: 302, headers: { location: '/elsewhere' } });
  expect(received.map(({ request }) => request.url)).toEqual(['/here?a=1', '/redirect']);
  expect(received[0]).toMatchObject({ body: 'höok' });
  expect(received[0]?.request.headers).toMatchObject({ host: `hook.example:${port}`, 'x-test': 'a' });
});

test('of an answer that never ends its status and the text that came are known, without what a database cannot store', async () => {
  const stalling = createServer((_request, response) => {
    response.writeHead(503, { 'retry-after': '7' });
    response.write('busy\0\u0007\n');
    response.write('half of a sign: ');
    response.write(Buffer.from('é').subarray(0, 1), () => response.socket?.end());
  });
  await new Promise<void>((resolve) => stalling.listen(0, '127.0.0.1', resolve));
  const { port } = stalling.address() as AddressInfo;
  const posted = postPublicly(`http://hook.example:${port}/`, { headers: {}, body: '' }, rulesOfThisMachine());
  expect(await posted).toMatchObject({
    status: 503,
    headers: { 'retry-after': '7' },
    body: 'busy\nhalf of a sign: \uFFFD',
  });
  await new Promise((resolve) => stalling.close(resolve));
});
