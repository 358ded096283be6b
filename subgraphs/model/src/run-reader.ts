import type { Db } from '@kindred/db/client';
import { withTenant } from '@kindred/db/tenants';
import { findTrainingRuns, type TrainingRunRow } from '@kindred/db/training-runs';
import type { TenantId, TrainingRunId } from '@kindred/domain/ids';
import { Batcher } from '@kindred/service/batcher';
import { LruCache } from '@kindred/service/lru-cache';

/** Reads runs for all requests of the process. */
export interface RunReader {
  /** Those of the runs that the tenant has, as they are now, in no order. */
  read(tenantId: TenantId, runIds: readonly TrainingRunId[]): Promise<TrainingRunRow[]>;
}

const MOST_AT_ONCE = 200;
const MOST_TENANTS = 1_000;

/**
 * Runs that are asked for while others of their tenant are read are read together in one transaction: hundreds who follow one
 * training all want its row at each event.
 */
export function createRunReader(db: Db): RunReader {
  type TenantReader = Batcher<readonly TrainingRunId[], TrainingRunRow[]>;
  const readers = new LruCache<TenantReader>({ capacity: MOST_TENANTS, maxWeight: MOST_TENANTS });
  const open = (tenantId: TenantId): TenantReader => {
    const read = async (questions: readonly (readonly TrainingRunId[])[]) => {
      const rows = await withTenant(db, tenantId, (tx) => findTrainingRuns(tx, [...new Set(questions.flat())]));
      return questions.map((runIds) => rows.filter(({ id }) => runIds.includes(id)));
    };
    return new Batcher(read, { mostAtOnce: MOST_AT_ONCE });
  };
  return {
    read: async (tenantId, runIds) => {
      let reader = readers.get(tenantId);
      if (reader === undefined) {
        reader = open(tenantId);
        readers.set(tenantId, reader, 1);
      }
      return reader.ask(runIds);
    },
  };
}
