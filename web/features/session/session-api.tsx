import { Client, fetchExchange, type CombinedError } from 'urql';
import { graphql } from '../../src/generated/gql.ts';
import type { RefreshSession } from '../../lib/session-store.ts';

const REFRESH_SESSION = graphql(`
  mutation RefreshSession($input: RefreshSessionInput!) {
    refreshSession(input: $input) {
      session {
        accessToken
        expiresAt
        refreshToken
        refreshExpiresAt
      }
      userErrors {
        code
        message
      }
    }
  }
`);

const SIGN_OUT = graphql(`
  mutation SignOut($input: SignOutInput!) {
    signOut(input: $input) {
      endedSessionCount
    }
  }
`);

/** What the page asks the API about its own session, without a credential. */
export interface SessionApi {
  refreshSession: RefreshSession;
  /** Ends the session at the server. Rejects when nobody answers. */
  signOut: (refreshToken: string) => Promise<void>;
}

export function createSessionApi(apiOrigin: string): SessionApi {
  const client = new Client({ url: `${apiOrigin}/graphql`, preferGetMethod: false, exchanges: [fetchExchange] });
  return {
    refreshSession: async (refreshToken) => {
      const { data, error } = await client.mutation(REFRESH_SESSION, { input: { refreshToken } });
      if (data === undefined) throw refusal(error);
      return data.refreshSession.session;
    },
    signOut: async (refreshToken) => {
      const { data, error } = await client.mutation(SIGN_OUT, { input: { refreshToken } });
      if (data === undefined) throw refusal(error);
    },
  };
}

function refusal(error: CombinedError | undefined): Error {
  return error ?? new Error('The API gave an answer without data.');
}
