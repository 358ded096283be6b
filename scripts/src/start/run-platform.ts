import { setTimeout as sleep } from 'node:timers/promises';
import { describeDemo } from '../demo/describe-demo.ts';
import { seedDemo } from '../demo/seed-demo.ts';
import { openProcessRegistry, type ProcessRegistry } from '../processes/process-registry.ts';
import { type Supervised, supervise } from '../processes/supervise.ts';
import { checkPorts, type PortName, type Ports, portsFrom } from '../ports.ts';
import { StopReason } from '../report-error.ts';
import { appPart } from './app-part.ts';
import { type AppSettings, type AppSpec, gatewayApp, subgraphsAndWorkers, webApp } from './app-specs.ts';
import { buildWeb } from './build-web.ts';
import { migrate } from './migrate.ts';
import { findGpu } from './find-gpu.ts';
import type { StartOptions } from './options.ts';
import { openSecrets } from './secrets.ts';
import { type Board, showBoard } from './show-board.ts';
import { servicePorts, startServices } from './start-services.ts';
import { emptyStateFolder, openStateFolder, type StateFolder } from './state-folder.ts';

const GRACE_MS = 10_000;

/** What is shared by all steps of one start. */
interface Platform {
  options: StartOptions;
  folder: StateFolder;
  ports: Ports;
  registry: ProcessRegistry;
  board: Board;
  /** Groups of parts in the order of their start: each stands on those before it. */
  stages: Supervised[][];
  /** Aborts when everything has to end, for whatever reason. */
  signal: AbortSignal;
  /** The build of the dashboard. */
  build: Promise<void>;
}

/**
 * Starts everything, seeds the demo tenant, and returns after `signal` aborts and all is ended again; with `once`, as
 * soon as it is up.
 * @param onRegistry told the list of processes as soon as there is one, for a second Ctrl-C
 * @throws StopReason with one clear line when something cannot be started.
 */
export async function runPlatform(
  options: StartOptions,
  { signal, onRegistry }: { signal: AbortSignal; onRegistry: (registry: ProcessRegistry) => void },
): Promise<void> {
  const startedAt = performance.now();
  const folder = openStateFolder(options.stateDir);
  const ports = portsFrom(options.port);
  const board = showBoard(process.stdout);
  const registry = await openProcessRegistry(folder.registry, {
    address: `http://localhost:${options.web ? ports.web : ports.gateway}`,
    onLeftovers: (names) => console.log(`Ending what an earlier start left running: ${names.join(', ')}.`),
  });
  onRegistry(registry);
  const ending = new AbortController();
  const platform: Platform = {
    options,
    folder,
    ports,
    registry,
    board,
    stages: [],
    signal: AbortSignal.any([signal, ending.signal]),
    build: Promise.resolve(),
  };
  try {
    if (options.reset) await emptyStateFolder(folder);
    await checkPorts(ports, portsToTake(options));
    await bringUp(platform);
    const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
    board.print(`\n  Everything is up after ${seconds} s.\n`);
    await present(platform);
    if (!options.once) await untilAborted(signal);
  } finally {
    ending.abort();
    await drain(platform);
    registry.release();
  }
}

function portsToTake({ web }: StartOptions): PortName[] {
  const apps: PortName[] = ['gateway', 'tenant', 'catalog', 'model', 'recommendation'];
  const workers: PortName[] = ['workerWorkflows', 'workerData', 'workerTrainCpu', 'workerTrainGpu'];
  return [...(web ? (['web'] as const) : []), ...apps, ...workers, ...servicePorts(process.env)];
}

async function bringUp(platform: Platform): Promise<void> {
  const { options, folder, ports, registry, board, stages, signal } = platform;
  for (const name of ['PostgreSQL', 'Redis', 'Temporal']) board.set(name, { kind: 'waiting' });
  board.set('database', { kind: 'waiting' });
  const secrets = openSecrets(folder.secrets);
  const services: Supervised[] = [];
  stages.push(services);
  // The build needs no server, and the servers do not need it: both at once.
  if (options.web) platform.build = buildWeb({ board, folder, registry, signal });
  platform.build.catch(() => undefined); // awaited below
  const looking = findGpu(signal);
  looking.catch(() => undefined); // awaited below
  const urls = await orAborted(
    startServices({ env: process.env, ports, folder, registry, board, started: services }),
    signal,
  );
  const databaseUrl = await orAborted(migrate(urls, secrets, board), signal);
  const gpu = await orAborted(looking, signal);
  board.print(
    gpu.gpuName === null ? `  Trainings compute on the CPU: ${gpu.reason}.` : `  Trainings compute on ${gpu.gpuName}.`,
  );
  const settings: AppSettings = { ports, secrets, folder, ...urls, databaseUrl, hasGpu: gpu.gpuName !== null };
  const apps = [launch(platform, subgraphsAndWorkers(settings)), launch(platform, [gatewayApp(settings)])];
  await orAborted(platform.build, signal);
  if (options.web) apps.push(launch(platform, [webApp(settings)]));
  await orAborted(Promise.all(apps.flat().map(({ ready }) => ready)), signal);
}

/** Starts a stage of servers without waiting for them: each is ready when those it needs are. */
function launch({ folder, registry, board, stages }: Platform, specs: readonly AppSpec[]): Supervised[] {
  const stage = specs.map((spec) =>
    supervise(appPart(spec, folder), {
      registry,
      onChange: (state) => board.set(spec.title, state, `port ${spec.port}`),
    }),
  );
  stages.push(stage);
  return stage;
}

async function present({ options, folder, ports, board, signal }: Platform): Promise<void> {
  const addresses = [
    ...(options.web ? [`  Dashboard     http://localhost:${ports.web}`] : []),
    `  GraphQL API   http://localhost:${ports.gateway}/graphql`,
    ...(process.env.TEMPORAL_ADDRESS ? [] : [`  Workflows     http://localhost:${ports.temporalUi}`]),
  ];
  if (options.seed) {
    const api = { httpUrl: `http://127.0.0.1:${ports.gateway}/graphql`, signal };
    const demo = await seedDemo({ api, folder, dataDir: options.dataDir, say: (line) => board.print(`  ${line}`) });
    board.print('');
    board.print([...addresses, ...describeDemo(demo)].join('\n'));
  } else {
    board.print(addresses.join('\n'));
  }
  if (!options.once) board.print(`\n  Logs are in ${folder.log('*')}. Ctrl-C ends everything.\n`);
}

async function drain({ board, stages, build }: Platform): Promise<void> {
  await build.catch(() => undefined); // told of already
  board.print(stages.length > 0 ? '\n  Ending …' : '');
  for (const stage of stages.toReversed()) {
    await Promise.all(stage.map((part) => part.stop(GRACE_MS)));
  }
}

async function untilAborted(signal: AbortSignal): Promise<void> {
  // A timer keeps the process alive meanwhile; a child's end is handled by its supervision.
  while (!signal.aborted) await sleep(3_600_000, undefined, { signal }).catch(() => undefined);
}

async function orAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  signal.throwIfAborted();
  const aborted = Promise.withResolvers<never>();
  const abort = (): void => aborted.reject(new StopReason('Stopped.'));
  signal.addEventListener('abort', abort, { once: true });
  try {
    return await Promise.race([work, aborted.promise]);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}
