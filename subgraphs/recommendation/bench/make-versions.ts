// Makes model versions of a tenant as the training makes them, for `npm run bench:serve`:
// `node subgraphs/recommendation/bench/make-versions.ts TENANT COUNT` with DATABASE_URL and OBJECT_STORE_URL. Each is the
// instant model, fitted to all that the tenant has. Prints their ids as JSON; none is promoted.
import { connectDb } from '@kindred/db/client';
import type { TenantId } from '@kindred/domain/ids';
import { openObjectStore } from '@kindred/service/object-store';
import { trainTestVersion } from '../src/test-version.ts';

const [tenantId, count] = process.argv.slice(2);
const { DATABASE_URL, OBJECT_STORE_URL } = process.env;
if (tenantId === undefined || count === undefined || DATABASE_URL === undefined || OBJECT_STORE_URL === undefined) {
  throw new Error('Wanted TENANT COUNT, DATABASE_URL and OBJECT_STORE_URL.');
}
await using db = await connectDb({ url: DATABASE_URL, applicationName: 'make-versions' });
const objects = openObjectStore({ url: OBJECT_STORE_URL });
const ids: string[] = [];
for (let made = 0; made < Number(count); made++) {
  // Exact, as a training chooses for catalogues of this size.
  const form = { algorithm: 'SPECTRAL', kind: 'EXACT' } as const;
  const { id } = await trainTestVersion({ db, objects }, tenantId as TenantId, form);
  ids.push(id);
}
console.log(JSON.stringify(ids));
