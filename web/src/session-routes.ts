import {
  isOwnPage,
  isRefreshToken,
  NO_SESSION_COOKIE,
  readSessionCookie,
  writeSessionCookie,
} from './session-cookie.ts';

const TIMEOUT_MS = 10_000;

const REFRESH = `mutation RefreshSession($input: RefreshSessionInput!) {
  refreshSession(input: $input) {
    session { accessToken expiresAt refreshToken refreshExpiresAt }
    userErrors { code }
  }
}`;
const SIGN_OUT = `mutation SignOut($input: SignOutInput!) { signOut(input: $input) { endedSessionCount } }`;

/** A session as the gateway gives it. */
interface IssuedSession {
  accessToken: string;
  expiresAt: string;
  refreshToken: string;
  refreshExpiresAt: string;
}

interface Refreshed {
  refreshSession: { session: IssuedSession | null; userErrors: { code: string }[] };
}

export interface SessionRoutes {
  /** Takes the refresh token that signing in gave into a cookie that no script reads. */
  keep: (request: Request) => Promise<Response>;
  /** Exchanges the cookie's refresh token at the gateway: the answer has the access token, the cookie the next refresh token. */
  refresh: (request: Request) => Promise<Response>;
  /** Ends the cookie's session at the gateway, and forgets the cookie whatever that says. */
  end: (request: Request) => Promise<Response>;
}

/** The session of the dashboard: its refresh token goes between this server and the gateway, and no script ever reads it back. */
export function createSessionRoutes({ apiUrl, now }: { apiUrl: string; now: () => number }): SessionRoutes {
  const ask = async <Data>(query: string, refreshToken: string): Promise<Data> => {
    const response = await fetch(`${apiUrl}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ query, variables: { input: { refreshToken } } }),
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    const { data } = (await response.json()) as { data?: Data | null };
    if (!data) throw new Error(`Wanted data of the gateway, got status ${response.status} without.`);
    return data;
  };
  return {
    keep: guarded(async (request) => {
      const body: unknown = await request.json().catch(() => null);
      const { refreshToken, refreshExpiresAt } = (body ?? {}) as Partial<Record<keyof IssuedSession, unknown>>;
      const expiresAt = Date.parse(String(refreshExpiresAt));
      if (!isRefreshToken(refreshToken) || Number.isNaN(expiresAt)) return answer(400, { error: 'Wanted a session.' });
      return answer(200, {}, writeSessionCookie(refreshToken, { expiresAt, now: now() }));
    }),
    refresh: guarded(async (request) => {
      const refreshToken = readSessionCookie(request.headers.get('cookie'));
      if (refreshToken === null) return answer(401, { session: null }, NO_SESSION_COOKIE);
      const { session, userErrors } = (await ask<Refreshed>(REFRESH, refreshToken)).refreshSession;
      if (session === null) {
        // A token that was used a moment ago belongs to a session that lives on.
        const isOver = !userErrors.some(({ code }) => code === 'CONFLICT');
        return isOver ? answer(401, { session: null }, NO_SESSION_COOKIE) : answer(409, { session: null });
      }
      const { refreshToken: next, ...live } = session;
      const expiresAt = Date.parse(session.refreshExpiresAt);
      return answer(200, { session: live }, writeSessionCookie(next, { expiresAt, now: now() }));
    }),
    end: guarded(async (request) => {
      const refreshToken = readSessionCookie(request.headers.get('cookie'));
      const ended = refreshToken === null ? null : await ask(SIGN_OUT, refreshToken).catch((error: unknown) => error);
      // The cookie goes in any case; the session ends by itself where the gateway did not hear of it.
      return answer(ended instanceof Error ? 502 : 200, {}, NO_SESSION_COOKIE);
    }),
  };
}

/** Refuses whatever is no JSON request of a page of this site, and tells no cause of a failure. */
function guarded(handle: (request: Request) => Promise<Response>): (request: Request) => Promise<Response> {
  return async (request) => {
    const isJson = request.headers.get('content-type')?.startsWith('application/json') === true;
    if (!isOwnPage(request.headers) || !isJson) return answer(403, { error: 'Only pages of this site may ask this.' });
    try {
      return await handle(request);
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      return answer(502, { error: 'The API did not answer.' });
    }
  };
}

function answer(status: number, body: object, cookie?: string): Response {
  const headers = new Headers({ 'content-type': 'application/json', 'cache-control': 'no-store' });
  if (cookie !== undefined) headers.append('set-cookie', cookie);
  return new Response(JSON.stringify(body), { status, headers });
}
