import { parentPort, workerData } from 'node:worker_threads';
import { parse } from 'graphql';
import { collectGarbage } from '../collect-garbage.ts';
import { buildSupergraph } from '../supergraph.ts';
import type { Planned, PlanRequest } from './planning.ts';
import { createPlanOperation } from './plan-operation.ts';

const port = parentPort;
if (port === null) throw new Error('Wanted to be a thread, was started as a process');
const planOperation = createPlanOperation(buildSupergraph(String(workerData)));
port.on('message', (request: PlanRequest) => port.postMessage(answer(request)));
collectGarbage();
port.postMessage('ready');

function answer({ query, operationName }: PlanRequest): Planned {
  try {
    return { plan: JSON.stringify(planOperation(parse(query, { noLocation: true }), operationName)) };
  } catch (error) {
    return { error: error instanceof Error ? (error.stack ?? error.message) : String(error) };
  }
}
