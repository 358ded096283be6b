import { StopReason } from '../report-error.ts';
import { type Api, refuseUserErrors, request, type UserError } from './api.ts';
import type { DemoFile } from './demo-file.ts';
import { followTraining } from './follow-training.ts';

const MODEL_NAME = 'Films for you';

const MODELS = `query FindModel { models(first: 100) { edges { node { id name } } } }`;

const CREATE_MODEL = `mutation CreateModel($name: String!) {
  createModel(input: { name: $name }) { model { id } userErrors { code message path } }
}`;

const MODEL = `query ReadModel($id: ID!) {
  model(id: $id) {
    activeVersion { algorithm number metrics { ndcgAt10 recallAt10 } baselines { name metrics { ndcgAt10 recallAt10 } } index { kind factory recallAt20 } }
    runs(first: 1) { edges { node { id status lastSequence } } }
  }
}`;

const TRAIN = `mutation TrainModel($modelId: ID!) {
  trainModel(input: { modelId: $modelId }) { run { id } userErrors { code message path } }
}`;

const RUN = `query ReadRun($id: ID!) { trainingRun(id: $id) { status failure } }`;

interface Metrics {
  ndcgAt10: number;
  recallAt10: number;
}

export interface ActiveVersion {
  algorithm: 'LIGHTGCN' | 'SPECTRAL';
  number: number;
  metrics: Metrics | null;
  baselines: { name: string; metrics: Metrics }[];
  index: { kind: string; factory: string | null; recallAt20: number } | null;
}

interface ModelState {
  activeVersion: ActiveVersion | null;
  runs: { edges: { node: { id: string; status: string } }[] };
}

export interface TrainContext {
  file: DemoFile;
  credential: string;
  say: (line: string) => void;
}

/**
 * The trained version of the demo model: the one that is there, or the one of a training that is started, or that was
 * under way, and is followed to its end. The instant first model answers in the meantime.
 * @throws StopReason when the training fails.
 */
export async function trainModel(api: Api, context: TrainContext): Promise<ActiveVersion> {
  const modelId = await findModel(api, context);
  const { activeVersion, runs } = await readModel(api, modelId, context.credential);
  if (activeVersion?.algorithm === 'LIGHTGCN') return activeVersion;
  const [latest] = runs.edges;
  const isOpen = latest?.node.status === 'QUEUED' || latest?.node.status === 'RUNNING';
  const runId = latest && isOpen ? latest.node.id : await startTraining(api, modelId, context.credential);
  context.say(isOpen ? 'Going on with the training that was under way …' : 'Training the first model …');
  await followTraining(api, { runId, credential: context.credential, say: context.say });
  const trained = await readModel(api, modelId, context.credential);
  if (trained.activeVersion?.algorithm === 'LIGHTGCN') return trained.activeVersion;
  const { trainingRun } = await request<{ trainingRun: { status: string; failure: string | null } }>(api, {
    document: RUN,
    variables: { id: runId },
    credential: context.credential,
  });
  throw new StopReason(`The training ended without a trained model: ${trainingRun.failure ?? trainingRun.status}.`);
}

async function findModel(api: Api, { file, credential }: TrainContext): Promise<string> {
  if (file.record.modelId !== undefined) return file.record.modelId;
  const { models } = await request<{ models: { edges: { node: { id: string; name: string } }[] } }>(api, {
    document: MODELS,
    credential,
  });
  const found = models.edges.find(({ node }) => node.name === MODEL_NAME)?.node.id;
  const modelId = found ?? (await createModel(api, credential));
  file.save({ modelId });
  return modelId;
}

async function createModel(api: Api, credential: string): Promise<string> {
  const { createModel: payload } = await request<{
    createModel: { model: { id: string } | null; userErrors: UserError[] };
  }>(api, { document: CREATE_MODEL, variables: { name: MODEL_NAME }, credential });
  refuseUserErrors('createModel', payload.userErrors);
  if (payload.model === null) throw new Error('createModel gave no model');
  return payload.model.id;
}

async function readModel(api: Api, id: string, credential: string): Promise<ModelState> {
  const { model } = await request<{ model: ModelState | null }>(api, {
    document: MODEL,
    variables: { id },
    credential,
  });
  if (model === null) throw new StopReason(`The demo model ${id} is gone: start with --reset.`);
  return model;
}

async function startTraining(api: Api, modelId: string, credential: string): Promise<string> {
  const { trainModel: payload } = await request<{
    trainModel: { run: { id: string } | null; userErrors: UserError[] };
  }>(api, {
    document: TRAIN,
    variables: { modelId },
    credential,
  });
  refuseUserErrors('trainModel', payload.userErrors);
  if (payload.run === null) throw new Error('trainModel gave no run');
  return payload.run.id;
}
