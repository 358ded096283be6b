/** Of this host alone, over HTTPS alone (browsers take localhost for that), and never sent from another site. */
const NAME = '__Host-kindred-session';
const ATTRIBUTES = 'Path=/; HttpOnly; Secure; SameSite=Strict';

/** The refresh token in a request's cookies; null when there is none. */
export function readSessionCookie(header: string | null): string | null {
  const cookies = (header ?? '').split(';').map((part) => part.trim());
  const value = cookies.find((cookie) => cookie.startsWith(`${NAME}=`))?.slice(NAME.length + 1);
  return value === undefined || !isRefreshToken(value) ? null : value;
}

/** A `Set-Cookie` that keeps the refresh token until it ends. */
export function writeSessionCookie(
  refreshToken: string,
  { expiresAt, now }: { expiresAt: number; now: number },
): string {
  return `${NAME}=${refreshToken}; ${ATTRIBUTES}; Max-Age=${Math.max(0, Math.floor((expiresAt - now) / 1000))}`;
}

/** A `Set-Cookie` that forgets it. */
export const NO_SESSION_COOKIE = `${NAME}=; ${ATTRIBUTES}; Max-Age=0`;

/** Whether a text has the form of a refresh token, so that it can stand in a cookie. */
export function isRefreshToken(value: unknown): value is string {
  return typeof value === 'string' && /^[\w.~+/=-]{16,200}$/.test(value);
}

/**
 * Whether a request comes from a page of this very site. Browsers say so in `Sec-Fetch-Site`; older ones in `Origin`. What
 * says neither is no page's.
 */
export function isOwnPage(headers: Headers): boolean {
  const site = headers.get('sec-fetch-site');
  if (site !== null) return site === 'same-origin';
  const origin = URL.parse(headers.get('origin') ?? '');
  return origin !== null && origin.host === headers.get('host');
}
