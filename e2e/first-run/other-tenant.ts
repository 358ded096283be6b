import { randomUUID } from 'node:crypto';
import { type ApiClient, connectApi, dataOf } from '../support/api-client.ts';

/** Signs up a second tenant with one item of its own, all through the public API. */
export async function openOtherTenant(apiUrl: string): Promise<{ client: ApiClient; itemTitle: string }> {
  const { signUp } = dataOf(
    await connectApi(apiUrl).ask<{ signUp: { session: { accessToken: string } } }>({
      query: `mutation SignUp($input: SignUpInput!) {
        signUp(input: $input) { session { accessToken } userErrors { message } }
      }`,
      variables: {
        input: {
          tenantName: 'Other Books',
          email: `owner-${randomUUID()}@other.example`,
          password: `password-${randomUUID()}`,
          displayName: 'Olga Other',
        },
      },
    }),
  );
  const client = connectApi(apiUrl, signUp.session.accessToken);
  const itemTitle = `A book of the other tenant ${randomUUID()}`;
  const { upsertItems } = dataOf(
    await client.ask<{ upsertItems: { writtenCount: number } }>({
      query: `mutation UpsertItems($input: UpsertItemsInput!) { upsertItems(input: $input) { writtenCount } }`,
      variables: { input: { items: [{ externalId: 'book-1', title: itemTitle }] } },
    }),
  );
  if (upsertItems.writtenCount !== 1) throw new Error(`Wanted 1 item written, got ${upsertItems.writtenCount}`);
  return { client, itemTitle };
}
