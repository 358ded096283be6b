import type { IssuedSession, RefreshedSession, RefreshSession } from '../../lib/session-store.ts';

/** What the page asks its own server, which keeps the refresh token in a cookie: see app/session/route.ts. */
export interface SessionApi {
  keepSession: (session: IssuedSession) => Promise<void>;
  refreshSession: RefreshSession;
  /** Ends the session at the server. Rejects when nobody answers. */
  signOut: () => Promise<void>;
}

export function createSessionApi(): SessionApi {
  return {
    async keepSession({ refreshToken, refreshExpiresAt }) {
      await expectOk(await ask('PUT', { refreshToken, refreshExpiresAt }));
    },
    async refreshSession() {
      const response = await ask('POST');
      if (response.status === 401) return null;
      const { session } = (await (await expectOk(response)).json()) as { session: RefreshedSession };
      return session;
    },
    async signOut() {
      await expectOk(await ask('DELETE'));
    },
  };
}

function ask(method: string, body: object = {}): Promise<Response> {
  const headers = { 'content-type': 'application/json' };
  return fetch('/session', { method, headers, body: JSON.stringify(body), credentials: 'same-origin' });
}

async function expectOk(response: Response): Promise<Response> {
  if (response.ok) return response;
  throw new Error(`The session's server answered with ${response.status}.`);
}
