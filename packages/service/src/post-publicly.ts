import { lookup } from 'node:dns/promises';
import { type IncomingHttpHeaders, type IncomingMessage, request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { isIP } from 'node:net';
import { isPublicAddress } from './public-address.ts';

const TIMEOUT_MS = 10_000;
const MAX_BODY_BYTES = 1_024;

export interface PublicAnswer {
  status: number;
  headers: IncomingHttpHeaders;
  /** The first 1,024 bytes, as text without control characters. */
  body: string;
}

/** The target is none that a customer may have us call. */
export class ForbiddenTargetError extends Error {
  override readonly name = 'ForbiddenTargetError';
}

export interface TargetRules {
  /** Such as `https:`. */
  protocols: readonly string[];
  isAllowed: (address: string) => boolean;
  /** All addresses of a name. */
  resolve: (hostname: string) => Promise<string[]>;
}

/** HTTPS to the public internet. */
export const PUBLIC_TARGETS: TargetRules = {
  protocols: ['https:'],
  isAllowed: isPublicAddress,
  resolve: async (hostname) => (await lookup(hostname, { all: true, verbatim: true })).map(({ address }) => address),
};

/**
 * The URL, if its form is one that may be called; its name is resolved only when it is called.
 * @throws ForbiddenTargetError
 */
export function readTarget(text: string, rules: TargetRules = PUBLIC_TARGETS): URL {
  const url = URL.parse(text);
  if (url === null) throw new ForbiddenTargetError(`it is no URL: ${JSON.stringify(text.slice(0, 200))}`);
  if (!rules.protocols.includes(url.protocol)) {
    throw new ForbiddenTargetError(`wanted ${rules.protocols.join(' or ')}//…, got ${url.protocol}`);
  }
  if (url.username !== '' || url.password !== '') throw new ForbiddenTargetError('it holds a user name or password');
  const address = addressIn(url);
  if (address !== null && !rules.isAllowed(address)) throw new ForbiddenTargetError(`${address} is no public address`);
  return url;
}

/**
 * Posts to a customer's URL: its name is resolved once, every address of it must be allowed, the connection goes to that
 * very address, and no redirect is followed. Of the body only the beginning is read.
 * @throws ForbiddenTargetError; Error when there is no answer within 10 s
 */
export async function postPublicly(
  text: string,
  { headers, body }: { headers: Record<string, string>; body: string },
  rules: TargetRules = PUBLIC_TARGETS,
): Promise<PublicAnswer> {
  const url = readTarget(text, rules);
  const signal = AbortSignal.timeout(TIMEOUT_MS);
  const address = await resolveTarget(url, rules);
  const hostname = url.hostname.replace(/\.$/, '');
  const send = url.protocol === 'https:' ? requestHttps : requestHttp;
  return await new Promise((resolve, reject) => {
    const request = send(
      {
        host: address,
        port: url.port === '' ? undefined : Number(url.port),
        path: `${url.pathname}${url.search}`,
        method: 'POST',
        headers: { ...headers, host: url.host, 'content-length': Buffer.byteLength(body) },
        // The certificate is the name's, not the address's.
        ...(addressIn(url) === null && { servername: hostname }),
        agent: false,
        signal,
      },
      (response) => {
        const { statusCode: status = 0, headers: received } = response;
        void readBeginning(response).then((read) => resolve({ status, headers: received, body: read }));
      },
    );
    request.once('error', reject);
    request.end(body);
  });
}

/** What came of a body until it ended, broke off, was long enough or took too long: the status is the answer. */
function readBeginning(response: IncomingMessage): Promise<string> {
  return new Promise((resolve) => {
    let bytes = Buffer.alloc(0);
    const end = () => {
      response.destroy();
      resolve(toText(bytes.subarray(0, MAX_BODY_BYTES)));
    };
    response.on('data', (chunk: Buffer) => {
      bytes = Buffer.concat([bytes, chunk]);
      if (bytes.length >= MAX_BODY_BYTES) end();
    });
    response.once('close', end);
    response.once('error', end);
  });
}

function toText(bytes: Buffer): string {
  return bytes.toString('utf8').replaceAll(/[^\P{Cc}\n\t]/gu, '');
}

async function resolveTarget(url: URL, rules: TargetRules): Promise<string> {
  const literal = addressIn(url);
  const addresses = literal === null ? await rules.resolve(url.hostname) : [literal];
  const [first] = addresses;
  if (first === undefined) throw new ForbiddenTargetError(`${url.hostname} has no address`);
  const refused = addresses.find((address) => !rules.isAllowed(address));
  if (refused !== undefined)
    throw new ForbiddenTargetError(`${url.hostname} leads to ${refused}, which is no public address`);
  return first;
}

/** The address that the URL names instead of a host; URL has read its decimal, octal and hexadecimal forms already. */
function addressIn({ hostname }: URL): string | null {
  const bare = hostname.replace(/^\[(.*)\]$/, '$1').replace(/\.$/, '');
  return isIP(bare) === 0 ? null : bare;
}
