import { type Api, refuseUserErrors, request, type UserError } from './api.ts';
import type { DemoDataset } from './dataset.ts';

const BATCH = 5_000;

const COUNT = `query CountCatalog { tenant { catalog { itemCount interactionCount } } }`;

const UPSERT = `mutation UpsertItems($items: [ItemInput!]!) {
  upsertItems(input: { items: $items }) { writtenCount userErrors { code message path } }
}`;

const RECORD = `mutation RecordInteractions($interactions: [InteractionInput!]!) {
  recordInteractions(input: { interactions: $interactions, errorPolicy: REJECT_EVERYTHING }) {
    recordedCount duplicateCount userErrors { code message path }
  }
}`;

/** Writes a data set into the tenant of a secret key, going on where an earlier try stopped. */
export async function fillCatalogue(
  api: Api,
  { dataset, credential, say }: { dataset: DemoDataset; credential: string; say: (line: string) => void },
): Promise<void> {
  const { tenant } = await request<{ tenant: { catalog: { itemCount: number; interactionCount: number } } }>(api, {
    document: COUNT,
    credential,
  });
  if (tenant.catalog.itemCount < dataset.items.length) {
    say(`Writing ${dataset.items.length.toLocaleString('en')} films …`);
    for (const items of batches(dataset.items)) {
      const { upsertItems } = await request<{ upsertItems: { userErrors: UserError[] } }>(api, {
        document: UPSERT,
        variables: { items },
        credential,
      });
      refuseUserErrors('upsertItems', upsertItems.userErrors);
    }
  }
  say(`Recording ${dataset.ratings.length.toLocaleString('en')} ratings …`);
  // In the order of writing: the count tells how many are there. Sent twice, an event counts once.
  const first = Math.max(0, tenant.catalog.interactionCount - BATCH);
  for (const ratings of batches(dataset.ratings.slice(first))) await recordRatings(api, ratings, credential);
}

async function recordRatings(api: Api, ratings: DemoDataset['ratings'], credential: string): Promise<void> {
  const interactions = ratings.map(({ userExternalId, itemExternalId, value, occurredAt }) => ({
    eventId: `rating-${userExternalId}-${itemExternalId}`,
    userExternalId,
    itemExternalId,
    type: 'RATING',
    value,
    occurredAt: new Date(occurredAt).toISOString(),
  }));
  const { recordInteractions } = await request<{ recordInteractions: { userErrors: UserError[] } }>(api, {
    document: RECORD,
    variables: { interactions },
    credential,
  });
  refuseUserErrors('recordInteractions', recordInteractions.userErrors);
}

function* batches<T>(rows: readonly T[]): Generator<T[]> {
  for (let start = 0; start < rows.length; start += BATCH) yield rows.slice(start, start + BATCH);
}
