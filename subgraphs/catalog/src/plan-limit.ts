import { PlanLimitError } from '@kindred/db/plan-limits';
import type { UserError } from './generated/resolvers.ts';

/** What `work` answers, or that the tenant's plan does not allow it: nothing of it was written then. */
export async function orPlanLimit<T>(list: string, work: () => Promise<T>): Promise<T | UserError> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof PlanLimitError)) throw error;
    return { code: 'PLAN_LIMIT_REACHED', message: error.message, path: [list] };
  }
}
