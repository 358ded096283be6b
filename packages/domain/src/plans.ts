/** What a tenant may store, start and ask. Counts are of everything that the tenant has, or of a calendar month in UTC. */
export interface Plan {
  itemCount: number;
  interactionCount: number;
  /** Each trial of a tuning is one. */
  trainingsPerMonth: number;
  /** Training runs, trials and batches of recommendations that compute at one time; more of them wait. */
  concurrentTrainings: number;
  requestsPerMonth: number;
  /** Points of cost, as `extensions.cost` counts them: a page of 20 recommendations is 42. */
  pointsPerMonth: number;
  /** What all credentials of the tenant together get each second, and what they may take at once after a pause. */
  pointsPerSecond: number;
  burst: number;
}

export const PLAN_NAMES = ['FREE', 'GROWTH', 'SCALE'] as const;

export type PlanName = (typeof PLAN_NAMES)[number];

/** The limits of every plan. SCALE has those of the machines: a service under full load does not reach its rates. */
export const PLANS: Readonly<Record<PlanName, Readonly<Plan>>> = {
  FREE: {
    itemCount: 10_000,
    interactionCount: 1_000_000,
    trainingsPerMonth: 60,
    concurrentTrainings: 1,
    requestsPerMonth: 100_000,
    pointsPerMonth: 5_000_000,
    pointsPerSecond: 2_000,
    burst: 20_000,
  },
  GROWTH: {
    itemCount: 250_000,
    interactionCount: 25_000_000,
    trainingsPerMonth: 600,
    concurrentTrainings: 2,
    requestsPerMonth: 10_000_000,
    pointsPerMonth: 500_000_000,
    pointsPerSecond: 20_000,
    burst: 60_000,
  },
  SCALE: {
    itemCount: 100_000_000,
    interactionCount: 10_000_000_000,
    trainingsPerMonth: 20_000,
    concurrentTrainings: 8,
    requestsPerMonth: 10_000_000_000,
    pointsPerMonth: 500_000_000_000,
    pointsPerSecond: 200_000,
    burst: 600_000,
  },
};

/** What a tenant has that nobody gave another plan: whoever runs Kindred for themselves is not to be stopped by it. */
export const DEFAULT_PLAN: PlanName = 'SCALE';
