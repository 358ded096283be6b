import type { Metrics } from '@kindred/service/metrics';
import type { Planning } from './planning.ts';

export function addPlanningGauges(metrics: Metrics, planning: Planning): void {
  metrics.addGauge({
    name: 'kindred_gateway_plans_made',
    help: 'Operations since the start that were planned here: not known, and of no other gateway.',
    read: () => planning.stats().planned,
  });
  metrics.addGauge({
    name: 'kindred_gateway_plans_refused',
    help: 'Operations since the start that took the planning thread too long.',
    read: () => planning.stats().refused,
  });
  metrics.addGauge({
    name: 'kindred_gateway_plans_waiting',
    help: 'Operations that wait to be planned.',
    read: () => planning.stats().waiting,
  });
}
