import { setTimeout as sleep } from 'node:timers/promises';
import { connectDb } from '@kindred/db/client';
import { promoteModelVersion } from '@kindred/db/model-versions';
import { withTenant } from '@kindred/db/tenants';
import { encodeGlobalId, type ModelVersionId, newId } from '@kindred/domain/ids';
import { promotionTopic } from '@kindred/domain/training';
import { scopesOfApiKeyKind } from '@kindred/domain/viewer';
import { connectEventBus } from '@kindred/service/event-bus';
import { INTERNAL_TOKEN_HEADER, signInternalToken } from '@kindred/service/internal-token';
import type { ServePlatform } from './platform.ts';
import type { World } from './world.ts';

/** Makes a version the active one, as the last step of a training does. */
export async function promote(
  platform: ServePlatform,
  { tenantId }: World,
  { versionId, isAnnounced = true }: { versionId: ModelVersionId; isAnnounced?: boolean },
): Promise<void> {
  await using db = await connectDb({ url: platform.databaseUrl, poolSize: 1, applicationName: 'bench' });
  await withTenant(db, tenantId, (tx) => promoteModelVersion(tx, { versionId }));
  if (!isAnnounced) return;
  const events = connectEventBus(platform.redisUrl);
  await events.publish(promotionTopic(tenantId), JSON.stringify({ versionId }));
  await events.close();
}

const CHECK_EVERY_MS = 10;
const GIVE_UP_AFTER_MS = 20_000;

/** How long a replica takes to answer with a version, in milliseconds from now. */
export async function untilServed(
  platform: ServePlatform,
  world: World,
  { port, versionId }: { port: number; versionId: ModelVersionId },
): Promise<number> {
  const startedAt = performance.now();
  const wanted = encodeGlobalId('ModelVersion', versionId);
  while (performance.now() - startedAt < GIVE_UP_AFTER_MS) {
    if ((await servedVersion(platform, world, port)) === wanted) return performance.now() - startedAt;
    await sleep(CHECK_EVERY_MS);
  }
  throw new Error(`The replica at port ${port} does not serve ${wanted} after ${GIVE_UP_AFTER_MS} ms`);
}

/** Asks one replica past the gateway, with the token that the gateway would sign. */
export async function servedVersion(
  { secrets }: ServePlatform,
  { tenantId }: World,
  port: number,
): Promise<string | null> {
  const body = JSON.stringify({ query: '{ recommend(input: {}, first: 1) { modelVersion { id } } }' });
  const scopes = scopesOfApiKeyKind('SECRET');
  const viewer = { kind: 'apiKey' as const, apiKeyId: newId('ApiKey'), tenantId, scopes };
  const token = signInternalToken(secrets.internalTokenSecret, { audience: 'recommendation', viewer, body });
  const headers = { 'content-type': 'application/json', [INTERNAL_TOKEN_HEADER]: token };
  const response = await fetch(`http://127.0.0.1:${port}/graphql`, { method: 'POST', headers, body });
  const answer = (await response.json()) as { data?: { recommend: { modelVersion: { id: string } | null } } };
  return answer.data?.recommend.modelVersion?.id ?? null;
}
