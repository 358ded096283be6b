import { type Api, refuseUserErrors, request, type UserError } from './api.ts';
import type { DemoFile } from './demo-file.ts';

const SIGN_IN = `mutation SignIn($input: SignInInput!) {
  signIn(input: $input) { session { accessToken } userErrors { code message path } }
}`;

const SIGN_UP = `mutation SignUp($input: SignUpInput!) {
  signUp(input: $input) { session { accessToken } userErrors { code message path } }
}`;

const CREATE_API_KEY = `mutation CreateApiKey($input: CreateApiKeyInput!) {
  createApiKey(input: $input) { secret userErrors { code message path } }
}`;

interface SessionPayload {
  session: { accessToken: string } | null;
  userErrors: UserError[];
}

/** Makes sure that the demo tenant, its account and its two keys are there; the keys end up in the file. */
export async function openAccount(
  api: Api,
  { file, demoSource, simulated }: { file: DemoFile; demoSource: string; simulated: boolean },
): Promise<void> {
  const { email, password, secretKey, publishableKey } = file.record;
  if (secretKey !== undefined && publishableKey !== undefined) return;
  const { signIn } = await request<{ signIn: SessionPayload }>(api, {
    document: SIGN_IN,
    variables: { input: { email, password } },
  });
  const session = signIn.session ?? (await signUp(api, { email, password, demoSource, simulated }));
  const credential = session?.accessToken;
  if (secretKey === undefined) {
    file.save({ secretKey: await createApiKey(api, { name: 'Demo server', kind: 'SECRET', credential }) });
  }
  if (publishableKey === undefined) {
    file.save({ publishableKey: await createApiKey(api, { name: 'Demo browser', kind: 'PUBLISHABLE', credential }) });
  }
}

async function signUp(
  api: Api,
  owner: { email: string; password: string; demoSource: string; simulated: boolean },
): Promise<SessionPayload['session']> {
  const input = { ...owner, tenantName: 'Kindred Films', displayName: 'Demo owner' };
  const { signUp: payload } = await request<{ signUp: SessionPayload }>(api, {
    document: SIGN_UP,
    variables: { input },
  });
  refuseUserErrors('signUp', payload.userErrors);
  return payload.session;
}

async function createApiKey(
  api: Api,
  { name, kind, credential }: { name: string; kind: string; credential: string | undefined },
): Promise<string> {
  const { createApiKey: payload } = await request<{ createApiKey: { secret: string | null; userErrors: UserError[] } }>(
    api,
    {
      document: CREATE_API_KEY,
      variables: { input: { name, kind } },
      credential,
    },
  );
  refuseUserErrors('createApiKey', payload.userErrors);
  if (payload.secret === null) throw new Error(`createApiKey gave no secret for "${name}"`);
  return payload.secret;
}
