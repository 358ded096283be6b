import type { Db } from '@kindred/db/client';
import type { Viewer } from '@kindred/domain/viewer';
import type { EventBus } from '@kindred/service/event-bus';
import type { JobWorkflows } from '@kindred/service/job-workflows';
import type { Logger } from '@kindred/service/logger';
import type { ObjectStore } from '@kindred/service/object-store';
import type { SubgraphRequest } from '@kindred/service/subgraph-server';
import { createLoaders, type Loaders } from './loaders.ts';
import type { RunReader } from './run-reader.ts';
import type { Trainings } from './trainings.ts';

/** What the process holds for all requests. */
export interface ModelDeps {
  db: Db;
  events: EventBus;
  trainings: Trainings;
  tuningWorkflows: JobWorkflows;
  batchWorkflows: JobWorkflows;
  /** Where files of batches are. */
  objects: ObjectStore;
  logger: Logger;
}

/** What the requests of the process share. */
export interface ModelServices extends ModelDeps {
  runReader: RunReader;
}

/** What every resolver of one request shares. */
export interface ModelContext extends ModelServices {
  viewer: Viewer;
  loaders: Loaders;
  /** Its signal is made when it is looked at, which few requests do. */
  request: Pick<SubgraphRequest, 'signal'>;
}

export function createContext(services: ModelServices, viewer: Viewer, request: ModelContext['request']): ModelContext {
  return { ...services, viewer, request, loaders: createLoaders(services, viewer) };
}
