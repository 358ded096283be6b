// The subgraphs of `npm start` with a generated tenant, for a benchmark of gateways: tells its parent process where they
// are once they have something to serve, and ends with it.
import { once } from 'node:events';
import { startServePlatform } from './serve/platform.ts';
import { promote } from './serve/promotions.ts';
import { createWorld } from './serve/world.ts';

const SIZE = { itemCount: 10_000, userCount: 2_000, interactionsPerUser: 30 };

const left = once(process, 'disconnect');
await using platform = await startServePlatform();
await platform.start('model');
const world = await createWorld(platform, SIZE);
const [versionId] = world.versionIds;
if (versionId === undefined) throw new Error('Wanted a version to promote.');
await promote(platform, world, { versionId });
const { tenantId, credential, userCount } = world;
const names = ['tenant', 'catalog', 'model', 'recommendation'] as const;
const urls = Object.fromEntries(names.map((name) => [name, `http://127.0.0.1:${platform.ports[name]}`]));
const { redisUrl, secrets } = platform;
process.send?.({ urls, redisUrl, internalTokenSecret: secrets.internalTokenSecret, tenantId, credential, userCount });
await left;
