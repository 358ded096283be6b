import type { IncomingMessage } from 'node:http';
import type { Credential } from './auth.ts';

/** Who sends an operation, and from where. */
export interface Caller {
  credential: Credential;
  /** An IP address. */
  address: string;
}

/**
 * The address that a request comes from: the peer's, or behind `trustedProxies` proxies that each append to
 * `X-Forwarded-For`, the one that the outermost of them saw. What a client itself writes there is never taken.
 */
export function addressOf({ headers, socket }: IncomingMessage, trustedProxies: number): string {
  const peer = socket.remoteAddress ?? 'unknown';
  if (trustedProxies === 0) return peer;
  const forwarded = String(headers['x-forwarded-for'] ?? '').split(',');
  return forwarded.at(-trustedProxies)?.trim() || peer;
}
