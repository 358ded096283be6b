import { decodeGlobalId, type TenantId, type UserId } from '@kindred/domain/ids';
import { expect } from 'vitest';
import { type ApiClient, connectApi, dataOf } from '../support/api-client.ts';

/** A tenant with a trained model, and with one user among others who is to be found again. */
export interface Shop {
  tenantId: TenantId;
  client: ApiClient;
  run: <T>(query: string, variables?: Record<string, unknown>) => Promise<T>;
  findUserId(externalId: string): Promise<UserId | null>;
  recommend(externalId: string): Promise<Recommended>;
}

export interface Recommended {
  status: string;
  itemIds: string[];
}

export const RECOMMEND = `query ($user: String!) {
  recommend(input: { user: { externalId: $user } }, first: 5) { status edges { node { id } } }
}`;

export interface RecommendData {
  recommend: { status: string; edges: { node: { id: string } }[] };
}

export function readRecommended({ recommend: { status, edges } }: RecommendData): Recommended {
  return { status, itemIds: edges.map(({ node }) => node.id) };
}

const ITEMS = Array.from({ length: 40 }, (_, item) => `item-${item}`);
const SETTINGS = { dimension: 16, layers: 2, epochs: 6, patience: 6, batchSize: 64, seed: 7 };

/** Signs a tenant up, records a checkerboard of two tastes with `person` among the users, and trains on it. */
export async function openShop(gatewayUrl: string, name: string, person: string): Promise<Shop> {
  const apiUrl = `${gatewayUrl}/graphql`;
  const owner = { tenantName: name, displayName: name, email: `${name}@example.com`, password: `password of ${name}` };
  const { signUp } = dataOf(
    await connectApi(apiUrl).ask<{ signUp: { session: { accessToken: string; viewer: { tenant: { id: string } } } } }>({
      query: `mutation ($input: SignUpInput!) { signUp(input: $input) { session { accessToken viewer { tenant { id } } } } }`,
      variables: { input: owner },
    }),
  );
  const client = connectApi(apiUrl, signUp.session.accessToken);
  const run = async <T>(query: string, variables: Record<string, unknown> = {}): Promise<T> =>
    dataOf(await client.ask<T>({ query, variables }));
  const items = ITEMS.map((externalId) => ({ externalId, title: externalId }));
  await run(`mutation ($items: [ItemInput!]!) { upsertItems(input: { items: $items }) { writtenCount } }`, { items });
  const users = [...Array.from({ length: 30 }, (_, user) => `user-${user}`), person];
  for (const [user, userExternalId] of users.entries()) {
    const interactions = ITEMS.filter((_, item) => item % 2 === user % 2 && item !== user).map((itemExternalId) => {
      return { userExternalId, itemExternalId, type: 'VIEW' };
    });
    await record(run, interactions);
  }
  await train(run);
  return {
    tenantId: decodeGlobalId('Tenant', signUp.session.viewer.tenant.id),
    client,
    run,
    findUserId: async (externalId) => {
      const { user } = await run<{ user: { id: string } | null }>(
        `query ($id: String!) { user(externalId: $id) { id } }`,
        { id: externalId },
      );
      return user && decodeGlobalId('User', user.id);
    },
    recommend: async (user) => readRecommended(await run<RecommendData>(RECOMMEND, { user })),
  };
}

export async function record(run: Shop['run'], interactions: object[]): Promise<void> {
  await run(
    `mutation ($rows: [InteractionInput!]!) { recordInteractions(input: { interactions: $rows }) { recordedCount } }`,
    { rows: interactions },
  );
}

async function train(run: Shop['run']): Promise<void> {
  const { createModel } = await run<{ createModel: { model: { id: string } } }>(
    `mutation ($settings: HyperparametersInput) {
      createModel(input: { name: "Home", hyperparameters: $settings }) { model { id } }
    }`,
    { settings: SETTINGS },
  );
  const id = createModel.model.id;
  await run(`mutation ($id: ID!) { trainModel(input: { modelId: $id }) { run { id } userErrors { message } } }`, {
    id,
  });
  const statusOf = async () => {
    const { model } = await run<{ model: { runs: { edges: { node: { status: string } }[] } } }>(
      `query ($id: ID!) { model(id: $id) { runs(first: 1) { edges { node { status } } } } }`,
      { id },
    );
    return model.runs.edges[0]?.node.status;
  };
  await expect.poll(statusOf, { timeout: 200_000, interval: 500 }).toBe('SUCCEEDED');
}
