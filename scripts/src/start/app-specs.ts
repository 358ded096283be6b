import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { GATEWAY_FLAGS } from '@kindred/service/gateway-flags';
import type { PortName, Ports } from '../ports.ts';
import { ROOT } from '../root.ts';
import type { Secrets } from './secrets.ts';
import type { StateFolder } from './state-folder.ts';

/** A server or worker of ours. */
export interface AppSpec {
  name: string;
  /** What the status board calls it. */
  title: string;
  /** Its entry point, from the top of the checkout. */
  script: string;
  nodeFlags?: readonly string[];
  port: number;
  /** What it needs besides HOST, PORT and NODE_ENV. */
  env: Readonly<Record<string, string>>;
}

export interface AppSettings {
  ports: Ports;
  secrets: Secrets;
  folder: StateFolder;
  /** As the application's role, not the owner. */
  databaseUrl: string;
  redisUrl: string;
  temporalAddress: string;
  /** Whether a GPU computes here. */
  hasGpu: boolean;
}

/** The subgraphs and workers, which the gateway and through it the web app stand on. */
export function subgraphsAndWorkers(settings: AppSettings): AppSpec[] {
  const { ports, secrets, folder, databaseUrl, redisUrl, temporalAddress, hasGpu } = settings;
  const subgraph = { DATABASE_URL: databaseUrl, INTERNAL_TOKEN_SECRET: secrets.internalTokenSecret };
  const redis = { REDIS_URL: redisUrl };
  const objects = { OBJECT_STORE_URL: pathToFileURL(folder.objects).href, CACHE_DIR: folder.cache };
  const temporal = {
    TEMPORAL_ADDRESS: temporalAddress,
    TEMPORAL_NAMESPACE: process.env.TEMPORAL_NAMESPACE ?? 'default',
  };
  const session = { SESSION_SIGNING_KEY: secrets.sessionSigningKey, API_KEY_PEPPER: secrets.apiKeyPepper };
  const worker = { DATABASE_URL: databaseUrl, ...redis, ...objects, ...temporal };
  return [
    app('tenant', ports, {
      title: 'tenant subgraph',
      env: { ...subgraph, ...redis, ...session, ...temporal, ...objects },
    }),
    app('catalog', ports, { title: 'catalog subgraph', env: { ...subgraph, ...redis, ...objects, ...temporal } }),
    app('model', ports, {
      title: 'model subgraph',
      env: { ...subgraph, ...redis, ...objects, ...temporal, ...temporalUi(ports) },
    }),
    app('recommendation', ports, { title: 'recommendation subgraph', env: { ...subgraph, ...redis, ...objects } }),
    workerApp('workflows', ports.workerWorkflows, worker),
    workerApp('data', ports.workerData, { ...worker, API_KEY_PEPPER: secrets.apiKeyPepper }),
    workerApp('train-cpu', ports.workerTrainCpu, worker),
    ...(hasGpu ? [workerApp('train-gpu', ports.workerTrainGpu, worker)] : []),
  ];
}

/** Where operators look into workflows: what they name, or the interface of the Temporal that we start ourselves. */
function temporalUi(ports: Ports): AppSpec['env'] {
  const { TEMPORAL_ADDRESS, TEMPORAL_UI_URL } = process.env;
  const url = TEMPORAL_UI_URL ?? (TEMPORAL_ADDRESS ? null : `http://localhost:${ports.temporalUi}`);
  return url === null ? {} : { TEMPORAL_UI_URL: url };
}

export function gatewayApp({ ports, secrets, redisUrl }: AppSettings): AppSpec {
  const at = (name: PortName): string => `http://127.0.0.1:${ports[name]}`;
  return {
    name: 'gateway',
    title: 'gateway',
    script: 'gateway/src/main.ts',
    nodeFlags: GATEWAY_FLAGS,
    port: ports.gateway,
    env: {
      INTERNAL_TOKEN_SECRET: secrets.internalTokenSecret,
      TENANT_URL: at('tenant'),
      CATALOG_URL: at('catalog'),
      MODEL_URL: at('model'),
      RECOMMENDATION_URL: at('recommendation'),
      REDIS_URL: redisUrl,
      PERSISTED_DOCUMENTS: join(ROOT, 'web/src/generated/persisted-documents.json'),
      ALLOWED_ORIGINS: `http://localhost:${ports.web},http://127.0.0.1:${ports.web}`,
    },
  };
}

export function webApp({ ports }: AppSettings): AppSpec {
  const env = { PUBLIC_API_URL: `http://localhost:${ports.gateway}` };
  return { name: 'web', title: 'dashboard', script: 'web/src/server.ts', port: ports.web, env };
}

function app(name: PortName, ports: Ports, { title, env }: { title: string; env: AppSpec['env'] }): AppSpec {
  return { name, title, script: `subgraphs/${name}/src/main.ts`, port: ports[name], env };
}

function workerApp(queue: string, port: number, env: AppSpec['env']): AppSpec {
  return { name: `worker-${queue}`, title: `${queue} worker`, script: `workflows/src/workers/${queue}.ts`, port, env };
}
