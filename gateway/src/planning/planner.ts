import type { DocumentPlan } from './plan-operation.ts';
import type { PlanStore } from './plan-store.ts';
import type { Planning, PlanRequest } from './planning.ts';

export interface PlannerRequest extends PlanRequest {
  /** Whether other gateways may be given the plan: not where its text may hold a secret that stood in the document. */
  isShared: boolean;
  /** Waits as long as planning takes. */
  isPatient: boolean;
}

/** The plan of a valid document. @throws like `Planning` */
export type Planner = (request: PlannerRequest) => Promise<DocumentPlan>;

/** Asks what other gateways planned before it plans. */
export function createPlanner({ planning, store }: { planning: Planning; store: PlanStore }): Planner {
  return async ({ isShared, isPatient, ...request }) => {
    const known = isShared ? await store.get(request) : undefined;
    if (known !== undefined) return JSON.parse(known) as DocumentPlan;
    const plan = await planning.plan(request, { isPatient });
    if (isShared) store.set(request, plan);
    return JSON.parse(plan) as DocumentPlan;
  };
}
