import type { Fault } from './fault.ts';
import { RUN_FAULTS } from './run-faults.ts';
import { SERVER_FAULTS } from './server-faults.ts';
import { WORKER_FAULTS } from './worker-faults.ts';

/** Every way in which a training is disturbed, by its name. */
export const FAULTS: Record<string, Fault> = { ...WORKER_FAULTS, ...SERVER_FAULTS, ...RUN_FAULTS };
