import { hash } from 'node:crypto';
import type { Logger } from '@kindred/service/logger';
import type { Redis } from 'ioredis';
import type { PlanRequest } from './planning.ts';

/** Plans that outlive this process, and that all gateways of one supergraph share. */
export interface PlanStore {
  /** Undefined where it is not known, or nobody can say now. */
  get(request: PlanRequest): Promise<string | undefined>;
  set(request: PlanRequest, plan: string): void;
}

const TTL_S = 3_600;
// The largest plan of the web app's documents has 6,000.
const MAX_CHARS = 64 * 1024;
/** Part of the key: another planner makes other plans. */
const PLANNER = '@apollo/query-planner 2.14.4 with @defer';

export function createPlanStore(redis: Redis, supergraphSdl: string, logger: Pick<Logger, 'warn'>): PlanStore {
  const generation = hash('sha256', `${PLANNER}\n${supergraphSdl}`).slice(0, 16);
  const keyOf = ({ query, operationName = '' }: PlanRequest) =>
    `plan:${generation}:${hash('sha256', `${operationName}\n${query}`)}`;
  const failed = (err: unknown) => {
    logger.warn({ err }, 'Plans cannot be shared now');
    return undefined;
  };
  return {
    get: async (request) => (await redis.get(keyOf(request)).catch(failed)) ?? undefined,
    set: (request, plan) => {
      if (plan.length <= MAX_CHARS) void redis.set(keyOf(request), plan, 'EX', TTL_S).catch(failed);
    },
  };
}
