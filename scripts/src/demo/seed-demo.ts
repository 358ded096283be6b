import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ROOT } from '../root.ts';
import type { StateFolder } from '../start/state-folder.ts';
import { type Api, request } from './api.ts';
import { chooseDataset } from './choose-dataset.ts';
import { type DemoFile, type DemoRecord, openDemoFile } from './demo-file.ts';
import { fillCatalogue } from './fill-catalogue.ts';
import { openAccount } from './open-account.ts';
import { type ActiveVersion, trainModel } from './train-model.ts';

interface Recommendation {
  status: string;
  edges: { rank: number; score: number; node: { title: string } }[];
}

/** The demo tenant once it is complete. */
export interface Demo {
  record: DemoRecord;
  version: ActiveVersion;
  recommendation: Recommendation;
}

export interface SeedContext {
  api: Api;
  folder: StateFolder;
  dataDir: string | null;
  say: (line: string) => void;
}

/**
 * Fills a demo tenant through the public API, trains its first model and asks for a recommendation. What an earlier
 * start did stays; what it did not finish is finished.
 * @throws StopReason when the API refuses a step or the training fails.
 */
export async function seedDemo(context: SeedContext): Promise<Demo> {
  const { api, folder, say } = context;
  const file = openDemoFile(folder.demo);
  if (!file.record.filled) await fill(context, file);
  const { secretKey, publishableKey, userExternalId } = file.record;
  if (secretKey === undefined || publishableKey === undefined || userExternalId === undefined) {
    throw new Error(`${folder.demo} lacks a key or a user`);
  }
  const version = await trainModel(api, { file, credential: secretKey, say });
  const { recommend } = await request<{ recommend: Recommendation }>(api, {
    // One of the documents that a publishable key may run.
    document: await readFile(join(ROOT, 'gateway/documents/recommend.graphql'), 'utf8'),
    variables: { input: { user: { externalId: userExternalId } }, first: 10 },
    credential: publishableKey,
  });
  return { record: file.record, version, recommendation: recommend };
}

async function fill({ api, folder, dataDir, say }: SeedContext, file: DemoFile): Promise<void> {
  const dataset = await chooseDataset({ dataDir, downloadsDir: folder.downloads, signal: api.signal, say });
  const { source, simulated, licence } = dataset;
  say(`Demo data: ${source}`);
  say(licence);
  await openAccount(api, { file, demoSource: source, simulated });
  const { secretKey } = file.record;
  if (secretKey === undefined) throw new Error('The demo tenant has no secret key');
  await fillCatalogue(api, { dataset, credential: secretKey, say });
  const [first] = dataset.ratings;
  file.save({ source, simulated, licence, filled: true, ...(first ? { userExternalId: first.userExternalId } : {}) });
}
