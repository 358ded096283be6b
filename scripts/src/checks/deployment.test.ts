import { spawnSync } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { mkdtempDisposable } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { GATEWAY_FLAGS } from '@kindred/service/gateway-flags';
import { Deployment } from 'kubernetes-models/apps/v1/Deployment';
import { Job } from 'kubernetes-models/batch/v1/Job';
import { NetworkPolicy } from 'kubernetes-models/networking.k8s.io/v1/NetworkPolicy';
import { ConfigMap } from 'kubernetes-models/v1/ConfigMap';
import { Service } from 'kubernetes-models/v1/Service';
import { describe, expect, it } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import { type PortName, portsFrom } from '../ports.ts';
import { ROOT } from '../root.ts';
import { readEnvKeys, refusalOfEnv } from './service-env.ts';

const SERVICES: Record<string, { port: PortName; entryPoint: string; flags?: readonly string[] }> = {
  web: { port: 'web', entryPoint: 'web/src/server.ts' },
  gateway: { port: 'gateway', entryPoint: 'gateway/src/main.ts', flags: GATEWAY_FLAGS },
  tenant: { port: 'tenant', entryPoint: 'subgraphs/tenant/src/main.ts' },
  catalog: { port: 'catalog', entryPoint: 'subgraphs/catalog/src/main.ts' },
  model: { port: 'model', entryPoint: 'subgraphs/model/src/main.ts' },
  recommendation: { port: 'recommendation', entryPoint: 'subgraphs/recommendation/src/main.ts' },
  'worker-workflows': { port: 'workerWorkflows', entryPoint: 'workflows/src/workers/workflows.ts' },
  'worker-data': { port: 'workerData', entryPoint: 'workflows/src/workers/data.ts' },
  'worker-train-cpu': { port: 'workerTrainCpu', entryPoint: 'workflows/src/workers/train-cpu.ts' },
  'worker-train-gpu': { port: 'workerTrainGpu', entryPoint: 'workflows/src/workers/train-gpu.ts' },
};
const PORTS = portsFrom(4000);
// A store of objects that needs no key of its own has its rights by the machine's identity.
const OPTIONAL_SECRETS = new Set(['S3_ACCESS_KEY_ID', 'S3_SECRET_ACCESS_KEY']);
const SECRET = 'a-secret-of-more-than-thirty-two-characters';
const SIGNING_KEY = Buffer.from(
  JSON.stringify(generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' })),
).toString('base64');

interface ComposeService {
  command?: string[];
  profiles?: string[];
  volumes?: string[];
  deploy?: { resources?: { reservations?: { devices?: { driver: string; capabilities: string[] }[] } } };
  environment: Record<string, string>;
  ports?: string[];
}
interface Container {
  command: string[];
  resources?: { limits?: Record<string, string> };
  ports?: { containerPort: number }[];
  env: {
    name: string;
    value?: string;
    valueFrom?: { configMapKeyRef?: { key: string }; secretKeyRef?: { key: string } };
  }[];
}
interface Manifest {
  kind: string;
  metadata: { name: string };
  data?: Record<string, string>;
  spec: { template?: { spec: { containers: [Container] } }; ports?: { port: number }[] };
}

const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8');
const compose = parse(read('docker-compose.yml'), { merge: true }) as { services: Record<string, ComposeService> };
const kustomization = parse(read('k8s/base/kustomization.yaml')) as { resources: string[] };
const manifests = kustomization.resources.flatMap((file) =>
  parseAllDocuments(read(`k8s/base/${file}`)).map((document) => document.toJSON() as Manifest),
);

function composeService(name: string): ComposeService {
  const service = compose.services[name];
  if (!service) throw new Error(`docker-compose.yml has no service "${name}"`);
  return service;
}

function fill(value: string): string {
  return value.replaceAll(/\$\{([A-Z0-9_]+)(?::[-?]([^}]*))?\}/g, (_, name: string, fallback: string | undefined) =>
    fallback === undefined || fallback.startsWith('set ') ? secretFor(name) : fallback,
  );
}

/** A value that a service accepts for a secret key. */
function secretFor(key: string): string {
  if (key === 'SESSION_SIGNING_KEY') return SIGNING_KEY;
  return key === 'DATABASE_URL' ? 'postgresql://kindred_app@postgres:5432/kindred' : SECRET;
}

function container(name: string): Container {
  const deployment = manifests.find((manifest) => manifest.kind === 'Deployment' && manifest.metadata.name === name);
  const found = deployment?.spec.template?.spec.containers[0];
  if (!found) throw new Error(`k8s/base has no Deployment "${name}"`);
  return found;
}

function podEnvironment(name: string): Record<string, string> {
  const config = manifests.find((manifest) => manifest.kind === 'ConfigMap')?.data ?? {};
  const entries = container(name).env.map(({ name: key, value, valueFrom }) => {
    const configKey = valueFrom?.configMapKeyRef?.key;
    return [key, value ?? (configKey ? config[configKey] : secretFor(key))] as const;
  });
  return Object.fromEntries(entries.map(([key, value]) => [key, value ?? `missing in config.yaml: ${key}`]));
}

describe.each(Object.entries(SERVICES))('the deployment of %s', (name, { port, entryPoint, flags = [] }) => {
  it('gives it in docker-compose.yml only keys that its env.ts reads, and all that it needs', () => {
    const environment = Object.fromEntries(
      Object.entries(composeService(name).environment).map(([key, value]) => [key, fill(value)]),
    );
    const keys = readEnvKeys(entryPoint);
    expect(Object.keys(environment).filter((key) => !keys.has(key))).toEqual([]);
    expect(refusalOfEnv(entryPoint, environment)).toBeNull();
    expect(environment.PORT).toBe(String(PORTS[port]));
  });

  it('gives it in k8s/base only keys that its env.ts reads, and all that it needs', () => {
    const environment = podEnvironment(name);
    const keys = readEnvKeys(entryPoint);
    expect(Object.keys(environment).filter((key) => !keys.has(key))).toEqual([]);
    expect(refusalOfEnv(entryPoint, environment)).toBeNull();
    expect(environment.PORT).toBe(String(PORTS[port]));
    expect(container(name).ports).toEqual([{ name: 'http', containerPort: PORTS[port] }]);
  });

  it('refuses to start in production without a secret, or with one that says that it is for development', () => {
    const environment = podEnvironment(name);
    const secrets = container(name)
      .env.filter(({ valueFrom }) => valueFrom?.secretKeyRef !== undefined)
      .map(({ name: key }) => key);
    expect(environment.NODE_ENV).toBe('production');
    for (const key of secrets) {
      const { [key]: secret, ...without } = environment;
      if (!OPTIONAL_SECRETS.has(key)) expect(refusalOfEnv(entryPoint, without), `without ${key}`).toContain(key);
      const weak = { ...environment, [key]: `development ${secret}` };
      // The name of a key is no secret.
      if (!key.endsWith('_ID')) expect(refusalOfEnv(entryPoint, weak), `with a weak ${key}`).toContain(key);
    }
  }, 60_000);

  it('starts the entry point that exists, is scraped, and is answered for by a Service of its port', () => {
    expect(composeService(name).command).toEqual(['node', ...flags, entryPoint]);
    expect(container(name).command).toEqual(['node', ...flags, entryPoint]);
    expect(existsSync(join(ROOT, entryPoint))).toBe(true);
    expect(read('observability/prometheus/prometheus.yml')).toContain(`- ${name}:${PORTS[port]}\n`);
    const service = manifests.find((manifest) => manifest.kind === 'Service' && manifest.metadata.name === name);
    if (!name.startsWith('worker-')) expect(service?.spec.ports?.[0]?.port).toBe(PORTS[port]);
  });
});

describe('the deployment files', () => {
  it('refuse a service whose environment lacks a key, so that the checks above can fail', () => {
    const environment = podEnvironment('gateway');
    delete environment.CATALOG_URL;
    expect(refusalOfEnv('gateway/src/main.ts', environment)).toContain('CATALOG_URL');
  });

  it('give a GPU to the worker that needs one, to no other, and start it only where somebody asks for it', () => {
    const devicesOf = (name: string) => composeService(name).deploy?.resources?.reservations?.devices ?? [];
    const [gpu] = devicesOf('worker-train-gpu');
    expect(gpu).toMatchObject({ driver: 'nvidia', capabilities: expect.arrayContaining(['gpu']) });
    expect(composeService('worker-train-gpu').profiles).toEqual(['gpu']);
    const owners = Object.keys(SERVICES).filter((name) => container(name).resources?.limits?.['nvidia.com/gpu']);
    expect(owners).toEqual(['worker-train-gpu']);
    expect(Object.keys(SERVICES).filter((name) => devicesOf(name).length > 0)).toEqual(['worker-train-gpu']);
  });

  it('start the gateway of the image, and of its own package, as everywhere', () => {
    const [, command = ''] = /^CMD (.*)$/m.exec(read('Dockerfile')) ?? [];
    expect(JSON.parse(command)).toEqual(['node', ...GATEWAY_FLAGS, 'gateway/src/main.ts']);
    expect(read('gateway/fill-compile-cache.sh')).toContain(` node ${GATEWAY_FLAGS.join(' ')} "$1"`);
    const { scripts } = JSON.parse(read('gateway/package.json')) as { scripts: { start: string } };
    expect(scripts.start).toBe(['node', ...GATEWAY_FLAGS, 'src/main.ts'].join(' '));
  });

  it('have the image keep what Node makes of the sources of the gateway, so that none is stripped of its types again', async () => {
    expect(read('Dockerfile')).toContain('\nRUN gateway/fill-compile-cache.sh\n');
    await using folder = await mkdtempDisposable(join(tmpdir(), 'kindred-compile-cache-'));
    const env = { PATH: process.env.PATH, NODE_ENV: 'production', NODE_COMPILE_CACHE: folder.path };
    const { status, stderr } = spawnSync(join(ROOT, 'gateway/fill-compile-cache.sh'), { env, encoding: 'utf8' });
    expect(stderr).toBe('');
    expect(status).toBe(0);
    // What a start does not find there, it writes.
    const kept = () =>
      readdirSync(folder.path, { recursive: true, encoding: 'utf8' }).map(
        (name) => `${name} ${statSync(join(folder.path, name)).mtimeMs}`,
      );
    const filled = kept();
    expect(filled.length).toBeGreaterThan(100);
    for (const main of ['gateway/src/main.ts', 'gateway/src/planning/planning-thread.ts']) {
      spawnSync('node', [...GATEWAY_FLAGS, main], { cwd: ROOT, env });
      expect(kept()).toEqual(filled);
    }
  });

  it('let Temporal serve tenants in turn', () => {
    const { environment, volumes } = composeService('temporal');
    expect(volumes).toContain('./observability/temporal:/etc/kindred:ro');
    expect(environment.DYNAMIC_CONFIG_FILE_PATH).toBe('/etc/kindred/dynamic-config.yaml');
    expect(parse(read('observability/temporal/dynamic-config.yaml'))).toEqual({
      'matching.enableFairness': [{ value: true }],
    });
  });

  it('list in .env.example exactly the variables that docker-compose.yml asks for', () => {
    const asked = new Set([...read('docker-compose.yml').matchAll(/\$\{([A-Z0-9_]+)/g)].map((match) => match[1]));
    asked.delete('KINDRED_VERSION'); // the image's tag, not configuration
    const listed = new Set([...read('.env.example').matchAll(/^([A-Z0-9_]+)=/gm)].map((match) => match[1]));
    expect(listed).toEqual(asked);
  });

  it('name every manifest of k8s/base in its kustomization', () => {
    const files = readdirSync(join(ROOT, 'k8s/base')).filter((file) => file !== 'kustomization.yaml');
    expect(kustomization.resources.toSorted()).toEqual(files.toSorted());
  });

  it.each(manifests.map((manifest) => [`${manifest.kind} ${manifest.metadata.name}`, manifest] as const))(
    'match the Kubernetes schema: %s',
    (_, manifest) => {
      expect(() => model(manifest).validate()).not.toThrow();
    },
  );

  it('are accepted by docker-compose', ({ skip }) => {
    if (spawnSync('docker-compose', ['version']).error) skip('docker-compose is not installed');
    const asked = [...read('.env.example').matchAll(/^([A-Z0-9_]+)=/gm)].map((match) => [match[1], SECRET]);
    const config = spawnSync('docker-compose', ['-f', join(ROOT, 'docker-compose.yml'), 'config', '-q'], {
      env: { ...process.env, ...Object.fromEntries(asked) },
      encoding: 'utf8',
    });
    expect(config.stderr).toBe('');
    expect(config.status).toBe(0);
  });
});

function model(manifest: Manifest): { validate(): void } {
  const json = JSON.parse(JSON.stringify(manifest)) as object;
  switch (manifest.kind) {
    case 'Deployment':
      return new Deployment(json);
    case 'Job':
      return new Job(json);
    case 'Service':
      return new Service(json);
    case 'ConfigMap':
      return new ConfigMap(json);
    case 'NetworkPolicy':
      return new NetworkPolicy(json);
    default:
      throw new Error(`No schema is known for kind "${manifest.kind}" (${manifest.metadata.name})`);
  }
}
