import { scopesOfApiKeyKind } from '@kindred/domain/viewer';
import { checkOptionalText, checkText } from './check-text.ts';
import type { CreateApiKeyInput, UserError } from './generated/resolvers.ts';
import { userError } from './user-error.ts';

const MAX_ORIGINS = 20;
const MAX_LIFETIME_YEARS = 10;

/** What is wrong with the key that somebody asks for, all of it. */
export function checkApiKey(input: CreateApiKeyInput): UserError[] {
  return [
    ...checkText(input.name.trim(), { field: 'name', minChars: 1, maxChars: 80 }),
    ...checkScopes(input),
    ...checkExpiry(input.expiresAt ?? null),
    ...checkOrigins(input),
    ...checkOptionalText(input.idempotencyKey, { field: 'idempotencyKey', maxChars: 200 }),
  ];
}

function checkScopes({ kind, scopes }: CreateApiKeyInput): UserError[] {
  const possible: readonly string[] = scopesOfApiKeyKind(kind);
  if (scopes?.length === 0) return [userError('INVALID', 'scopes must be one or more, got none.', ['scopes'])];
  return (scopes ?? []).flatMap((scope, at) => {
    if (possible.includes(scope)) return [];
    const message = `A ${kind} key can have the scopes ${possible.join(', ')}, got "${scope}".`;
    return [userError('INVALID', message, ['scopes', String(at)])];
  });
}

function checkExpiry(expiresAt: Date | null): UserError[] {
  if (expiresAt === null) return [];
  const last = new Date();
  last.setFullYear(last.getFullYear() + MAX_LIFETIME_YEARS);
  if (expiresAt > new Date() && expiresAt <= last) return [];
  const message = `expiresAt must lie ahead, within ${MAX_LIFETIME_YEARS} years, got ${expiresAt.toISOString()}.`;
  return [userError('INVALID', message, ['expiresAt'])];
}

function checkOrigins({ kind, allowedOrigins }: CreateApiKeyInput): UserError[] {
  const origins = allowedOrigins ?? [];
  if (origins.length === 0) return [];
  const path = ['allowedOrigins'];
  if (kind !== 'PUBLISHABLE') {
    return [userError('INVALID', `allowedOrigins are for PUBLISHABLE keys, got a ${kind} one.`, path)];
  }
  if (origins.length > MAX_ORIGINS) {
    return [userError('INVALID', `allowedOrigins must be 1-${MAX_ORIGINS}, got ${origins.length}.`, path)];
  }
  return origins.flatMap((origin, at) => {
    if (isOrigin(origin)) return [];
    const message = `An allowed origin must read like https://shop.example or http://localhost:3000, got "${origin}".`;
    return [userError('INVALID', message, [...path, String(at)])];
  });
}

/** Exactly as a browser writes it in `Origin` (RFC 6454, section 6.2). */
function isOrigin(text: string): boolean {
  const url = URL.parse(text);
  return url !== null && url.origin === text && /^https?:$/.test(url.protocol);
}
