import { withTenant } from '@kindred/db/tenants';
import { findUserExport } from '@kindred/db/user-exports';
import { ObjectNotFoundError } from '@kindred/service/object-key';
import type { SubgraphOptions } from '@kindred/service/subgraph-server';
import type { TenantContext, TenantServices } from './context.ts';
import { readExportLink } from './export-link.ts';
import { exportStatusOf } from './user-exports.ts';

type App = Parameters<NonNullable<SubgraphOptions<TenantContext>['routes']>>[0];
type ExpressResponse = App['response'];

/** Serves an archive to whoever has its link; every other link reads the same. */
export function addExportRoute(
  app: App,
  { db, objects, apiKeyPepper }: Pick<TenantServices, 'db' | 'objects' | 'apiKeyPepper'>,
): void {
  const findArchive = async (token: string): Promise<Uint8Array | null> => {
    const place = readExportLink(apiKeyPepper, token);
    const row = place && (await withTenant(db, place.tenantId, (tx) => findUserExport(tx, place.exportId)));
    if (row?.archiveKey == null || exportStatusOf(row) !== 'READY') return null;
    try {
      return await objects.get(row.archiveKey);
    } catch (error) {
      if (error instanceof ObjectNotFoundError) return null;
      throw error;
    }
  };
  const answer = (archive: Uint8Array | null, response: ExpressResponse): void => {
    response.set('Cache-Control', 'no-store');
    if (archive === null) {
      response.status(404).type('text/plain').send('There is no archive here, or not any more.');
      return;
    }
    response
      .set('Content-Disposition', 'attachment; filename="user-data.tar.gz"')
      .set('X-Content-Type-Options', 'nosniff')
      .type('application/gzip')
      .send(Buffer.from(archive));
  };
  const serve = async (token: string, response: ExpressResponse): Promise<void> =>
    answer(await findArchive(token), response);
  app.get('/exports/:token', (request, response) => serve(request.params.token, response));
}
