import { type Plan, type PlanName, PLANS } from '@kindred/domain/plans';

/** A plan as the API shows it. */
export type NamedPlan = Plan & { name: PlanName };

export function planOf(name: PlanName): NamedPlan {
  return { name, ...PLANS[name] };
}
