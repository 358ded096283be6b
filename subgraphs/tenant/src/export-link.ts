import { createHmac, hkdfSync, timingSafeEqual } from 'node:crypto';
import type { TenantId, UserExportId } from '@kindred/domain/ids';

const LINK_MINUTES = 10;

/** Which archive a link leads to. */
interface ExportPlace {
  tenantId: TenantId;
  exportId: UserExportId;
}

/** What a link to an archive ends with: whoever has it may fetch the archive for ten minutes. */
export function signExportLink(pepper: string, { tenantId, exportId }: ExportPlace, now = Date.now()): string {
  const text = Buffer.from(JSON.stringify([tenantId, exportId, now + LINK_MINUTES * 60_000])).toString('base64url');
  return `${text}.${macOf(pepper, text).toString('base64url')}`;
}

/** Where a link leads; null when nobody signed it, or its time is over. */
export function readExportLink(pepper: string, token: string, now = Date.now()): ExportPlace | null {
  const [text = '', mac = ''] = token.split('.');
  const [given, wanted] = [Buffer.from(mac, 'base64url'), macOf(pepper, text)];
  if (given.length !== wanted.length || !timingSafeEqual(given, wanted)) return null;
  const [tenantId, exportId, until] = JSON.parse(Buffer.from(text, 'base64url').toString('utf8')) as [
    TenantId,
    UserExportId,
    number,
  ];
  return until > now ? { tenantId, exportId } : null;
}

function macOf(pepper: string, text: string): Buffer {
  const key = Buffer.from(hkdfSync('sha256', pepper, '', 'kindred export links', 32));
  return createHmac('sha256', key).update(text).digest();
}
