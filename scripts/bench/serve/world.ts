import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { decodeGlobalId, type ModelVersionId, type TenantId } from '@kindred/domain/ids';
import { request } from '../../src/demo/api.ts';
import type { DemoDataset } from '../../src/demo/dataset.ts';
import { openDemoFile } from '../../src/demo/demo-file.ts';
import { fillCatalogue } from '../../src/demo/fill-catalogue.ts';
import { openAccount } from '../../src/demo/open-account.ts';
import { createRandom } from '../../src/demo/random.ts';
import { ROOT } from '../../src/root.ts';
import type { ServePlatform } from './platform.ts';

export interface WorldSize {
  itemCount: number;
  userCount: number;
  interactionsPerUser: number;
}

/** A tenant with a generated catalogue and versions that nobody promoted yet. */
export interface World extends WorldSize {
  tenantId: TenantId;
  credential: string;
  versionIds: ModelVersionId[];
}

export const GENRES = ['Drama', 'Comedy', 'Action', 'Horror', 'Documentary', 'Romance', 'Thriller', 'Western'];
const VERSIONS = 2;
const SEED = 11;
const DAY_MS = 86_400_000;

export const userName = (user: number): string => `user-${user}`;
const itemName = (item: number): string => `item-${item}`;

/** Signs a tenant up, fills it and fits its versions, all through the faces that customers and trainings use. */
export async function createWorld(platform: ServePlatform, size: WorldSize): Promise<World> {
  const api = { httpUrl: platform.gatewayUrl, signal: AbortSignal.timeout(600_000) };
  const file = openDemoFile(platform.folder.demo);
  await openAccount(api, { file, demoSource: 'generated', simulated: true });
  const credential = file.record.secretKey;
  if (credential === undefined) throw new Error('The account was opened without a secret key.');
  await fillCatalogue(api, { dataset: generate(size), credential, say: () => {} });
  const { tenant } = await request<{ tenant: { id: string } }>(api, {
    document: 'query Tenant { tenant { id } }',
    credential,
  });
  const tenantId = decodeGlobalId('Tenant', tenant.id);
  const versionIds = await makeVersions(platform, tenantId);
  return { ...size, tenantId, credential, versionIds };
}

/** Users like one or two of the genres, and of those the items of a low number more. */
export function generate({ itemCount, userCount, interactionsPerUser }: WorldSize): DemoDataset {
  const random = createRandom(SEED);
  const pick = (count: number): number => Math.floor(random.next() * count);
  const items = Array.from({ length: itemCount }, (_, item) => ({
    externalId: itemName(item),
    title: `Item ${item} of a generated catalogue`,
    categories: [GENRES[item % GENRES.length] ?? ''],
    properties: { year: 1950 + (item % 75), seller: `seller-${item % 100}` },
  }));
  const perGenre = Math.floor(itemCount / GENRES.length);
  const firstDay = Date.now() - 100 * DAY_MS;
  const ratings = Array.from({ length: userCount }, (_, user) => {
    const tastes = [pick(GENRES.length), pick(GENRES.length)];
    const chosen = new Set<number>();
    while (chosen.size < Math.min(interactionsPerUser, perGenre)) {
      const taste = tastes[pick(2)] ?? 0;
      chosen.add(Math.floor(random.next() ** 2 * perGenre) * GENRES.length + taste);
    }
    return [...chosen].map((item) => ({
      userExternalId: userName(user),
      itemExternalId: itemName(item),
      value: 4,
      occurredAt: firstDay + pick(99) * DAY_MS,
    }));
  }).flat();
  return { source: 'generated', simulated: true, licence: 'none', items, ratings };
}

async function makeVersions(platform: ServePlatform, tenantId: TenantId): Promise<ModelVersionId[]> {
  const script = join(ROOT, 'subgraphs/recommendation/bench/make-versions.ts');
  const env = {
    ...process.env,
    DATABASE_URL: platform.databaseUrl,
    OBJECT_STORE_URL: pathToFileURL(platform.folder.objects).href,
  };
  const { stdout } = await promisify(execFile)(process.execPath, [script, tenantId, String(VERSIONS)], { env });
  return JSON.parse(stdout) as ModelVersionId[];
}
