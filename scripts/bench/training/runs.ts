import { setTimeout as sleep } from 'node:timers/promises';
import { type Api, refuseUserErrors, request, type UserError } from '../../src/demo/api.ts';
import { fillCatalogue } from '../../src/demo/fill-catalogue.ts';
import { openAccount } from '../../src/demo/open-account.ts';
import { openDemoFile } from '../../src/demo/demo-file.ts';
import { generate, type WorldSize } from '../serve/world.ts';
import type { TrainingPlatform } from './platform.ts';

/** The public API with the secret key of a tenant that has something to learn from. */
export interface Tenant {
  api: Api;
  credential: string;
  modelId: string;
}

/** What is set of a training; the rest follows the data. */
export interface Settings {
  epochs: number;
  patience: number;
  dimension: number;
  seed: number;
}

export interface Run {
  status: string;
  failure: string | null;
  startedAt: string | null;
  finishedAt: string | null;
  lastSequence: number;
}

/** A step of a run, from its beginning to that of the next. */
export interface Step {
  phase: string;
  tookMs: number;
}

/** An epoch as the run has it; `at` in milliseconds. */
export interface Epoch {
  at: number;
  samplesPerSecond: number;
}

const LONGEST_MS = 3_600_000;
/** Seldom: looking goes through the gateway, and takes from what is measured. */
const LOOK_EVERY_MS = 1_000;
const EVENTS_PER_PAGE = 500;

const CREATE_MODEL = `mutation CreateModel($name: String!) {
  createModel(input: { name: $name }) { model { id } userErrors { code message path } }
}`;
const TRAIN = `mutation TrainModel($modelId: ID!, $settings: HyperparametersInput!) {
  trainModel(input: { modelId: $modelId, hyperparameters: $settings }) { run { id } userErrors { code message path } }
}`;
const CANCEL = `mutation CancelRun($runId: ID!) {
  cancelTrainingRun(input: { runId: $runId }) { run { id } userErrors { code message path } }
}`;
const RUN = `query ReadRun($id: ID!) { trainingRun(id: $id) { status failure startedAt finishedAt lastSequence } }`;
const EVENTS = `query ReadEvents($id: ID!, $after: Int!) {
  trainingRun(id: $id) { events(first: ${EVENTS_PER_PAGE}, afterSequence: $after) { sequence at kind phase epoch { samplesPerSecond } } }
}`;

interface StoredEvent {
  sequence: number;
  at: string;
  kind: string;
  phase: string | null;
  epoch: { samplesPerSecond: number } | null;
}

/** Signs a tenant up and fills it, all through the public API. */
export async function createTenant({ gatewayUrl, folder }: TrainingPlatform, size: WorldSize): Promise<Tenant> {
  const api = { httpUrl: gatewayUrl, signal: AbortSignal.timeout(LONGEST_MS) };
  const file = openDemoFile(folder.demo);
  await openAccount(api, { file, demoSource: 'generated', simulated: true });
  const credential = file.record.secretKey;
  if (credential === undefined) throw new Error('The account was opened without a secret key.');
  await fillCatalogue(api, { dataset: generate(size), credential, say: () => {} });
  const { createModel } = await request<{ createModel: { model: { id: string } | null; userErrors: UserError[] } }>(
    api,
    { document: CREATE_MODEL, variables: { name: 'Bench' }, credential },
  );
  refuseUserErrors('createModel', createModel.userErrors);
  if (createModel.model === null) throw new Error('createModel gave no model.');
  return { api, credential, modelId: createModel.model.id };
}

export async function train({ api, credential, modelId }: Tenant, settings: Settings): Promise<string> {
  const { trainModel } = await request<{ trainModel: { run: { id: string } | null; userErrors: UserError[] } }>(api, {
    document: TRAIN,
    variables: { modelId, settings },
    credential,
  });
  refuseUserErrors('trainModel', trainModel.userErrors);
  if (trainModel.run === null) throw new Error('trainModel gave no run.');
  return trainModel.run.id;
}

export async function cancel({ api, credential }: Tenant, runId: string): Promise<void> {
  await request(api, { document: CANCEL, variables: { runId }, credential });
}

export async function readRun({ api, credential }: Tenant, id: string): Promise<Run> {
  const { trainingRun } = await request<{ trainingRun: Run }>(api, { document: RUN, variables: { id }, credential });
  return trainingRun;
}

/** @throws Error when it ends otherwise than well. */
export async function untilSucceeded(tenant: Tenant, runId: string): Promise<Run> {
  for (;;) {
    const run = await readRun(tenant, runId);
    if (run.status === 'SUCCEEDED') return run;
    if (run.finishedAt !== null) throw new Error(`The run ended as ${run.status}: ${run.failure}`);
    await sleep(LOOK_EVERY_MS);
  }
}

/** The epochs of a run so far. */
export async function readEpochs(tenant: Tenant, runId: string): Promise<Epoch[]> {
  const events = await readEvents(tenant, runId);
  return events.flatMap(({ at, epoch }) => (epoch ? [{ at: Date.parse(at), ...epoch }] : []));
}

/** The steps of a run that has ended, in order. */
export async function readSteps(tenant: Tenant, runId: string): Promise<Step[]> {
  const marks = (await readEvents(tenant, runId)).filter(({ phase, kind }) => phase !== null || kind === 'FINISHED');
  return marks.flatMap(({ phase, at }, index) => {
    const next = marks[index + 1];
    return phase === null || next === undefined ? [] : [{ phase, tookMs: Date.parse(next.at) - Date.parse(at) }];
  });
}

async function readEvents({ api, credential }: Tenant, id: string): Promise<StoredEvent[]> {
  const events: StoredEvent[] = [];
  for (;;) {
    const { trainingRun } = await request<{ trainingRun: { events: StoredEvent[] } }>(api, {
      document: EVENTS,
      variables: { id, after: events.at(-1)?.sequence ?? 0 },
      credential,
    });
    events.push(...trainingRun.events);
    if (trainingRun.events.length < EVENTS_PER_PAGE) return events;
  }
}
