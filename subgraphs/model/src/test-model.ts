import type { Db } from '@kindred/db/client';
import { withTenant } from '@kindred/db/tenants';
import { appendTrainingEvent } from '@kindred/db/training-events';
import { decodeGlobalId, type TenantId } from '@kindred/domain/ids';
import { type TrainingEvent, type TrainingEventBody, trainingTopic } from '@kindred/domain/training';
import type { Viewer } from '@kindred/domain/viewer';
import { connectEventBus } from '@kindred/service/event-bus';
import { INTERNAL_TOKEN_HEADER, signInternalToken } from '@kindred/service/internal-token';
import { createLogger } from '@kindred/service/logger';
import { testInfrastructure } from '@kindred/testing/infrastructure';
import { uniqueName } from '@kindred/testing/temporal-names';
import { createTestDatabase } from '@kindred/testing/test-database';
import { Client, Connection } from '@temporalio/client';
import { startModel } from './start-model.ts';
import { connectTrainings } from './trainings.ts';

const SECRET = 'the internal token secret of the tests';

interface Answer<Data> {
  data?: Data | null;
  errors?: { message: string; path?: (string | number)[]; extensions: { code: string } }[];
}

export interface TestModel extends AsyncDisposable {
  readonly db: Db;
  readonly temporal: Client;
  ask<Data>(viewer: Viewer, query: string, variables?: object): Promise<Answer<Data>>;
  /** The data of an answer that has no errors. */
  read<Data>(viewer: Viewer, query: string, variables?: object): Promise<Data>;
  /** The results of a subscription until it completes or `signal` is aborted. */
  follow<Data>(viewer: Viewer, query: string, options: FollowOptions): AsyncGenerator<Answer<Data>>;
  /** Stores an event as a worker does, and publishes it unless the message is to be lost. */
  tell(tenantId: TenantId, runId: string, event: { body: TrainingEventBody; published?: boolean }): Promise<void>;
}

interface FollowOptions {
  variables: object;
  signal?: AbortSignal;
}

/** The model subgraph on a database and a Temporal namespace of its own, without workers, asked as the gateway asks it. */
export async function createTestModel(temporalAddress = testInfrastructure().temporalAddress): Promise<TestModel> {
  const database = await createTestDatabase();
  const { db } = database;
  const namespace = uniqueName('model');
  const connection = await Connection.connect({ address: testInfrastructure().temporalAddress });
  await connection.workflowService.registerNamespace({
    namespace,
    workflowExecutionRetentionPeriod: { seconds: 86_400 as never },
  });
  const events = connectEventBus(testInfrastructure().redisUrl);
  const trainings = connectTrainings({ address: temporalAddress, namespace });
  const env = { host: '127.0.0.1', port: 0, internalTokenSecret: SECRET };
  const server = await startModel({ db, events, trainings, env, logger: createLogger('model', 'silent') });
  const send = (path: string, viewer: Viewer, request: { body: object; signal?: AbortSignal | undefined }) => {
    const body = JSON.stringify(request.body);
    const token = signInternalToken(SECRET, { audience: 'model', viewer, body });
    const headers = { 'content-type': 'application/json', accept: '*/*', [INTERNAL_TOKEN_HEADER]: token };
    return fetch(`${server.url}${path}`, { method: 'POST', headers, body, signal: request.signal ?? null });
  };
  const ask = async <Data>(viewer: Viewer, query: string, variables: object = {}): Promise<Answer<Data>> =>
    (await (await send('/graphql', viewer, { body: { query, variables } })).json()) as Answer<Data>;
  return {
    db,
    temporal: new Client({ connection, namespace }),
    ask,
    read: async <Data>(viewer: Viewer, query: string, variables?: object): Promise<Data> => {
      const { data, errors } = await ask<Data>(viewer, query, variables);
      if (errors !== undefined || data === undefined || data === null) throw new Error(JSON.stringify(errors));
      return data;
    },
    async *follow<Data>(viewer: Viewer, query: string, { variables, signal }: FollowOptions) {
      const response = await send('/graphql/stream', viewer, { body: { query, variables }, signal });
      yield* readEventStream<Answer<Data>>(response);
    },
    async tell(tenantId, globalRunId, { body, published = true }) {
      const runId = decodeGlobalId('TrainingRun', globalRunId);
      const draft = { runId, dedupeKey: uniqueName('event'), at: Date.now(), body };
      const event: TrainingEvent | null = await withTenant(db, tenantId, (tx) => appendTrainingEvent(tx, draft));
      if (published) await events.publish(trainingTopic(tenantId, runId), JSON.stringify(event));
    },
    [Symbol.asyncDispose]: async () => {
      await server.drain();
      await Promise.all([trainings.close(), events.close(), connection.close()]);
      await database[Symbol.asyncDispose]();
    },
  };
}

async function* readEventStream<Result>(response: Response): AsyncGenerator<Result> {
  let text = '';
  for await (const chunk of response.body?.pipeThrough(new TextDecoderStream()) ?? []) {
    text += chunk;
    const messages = text.split('\n\n');
    text = messages.pop() ?? '';
    for (const message of messages) {
      const [, data] = /^event: next\ndata: (.*)$/s.exec(message) ?? [];
      if (data !== undefined) yield JSON.parse(data) as Result;
    }
  }
}
