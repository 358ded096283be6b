import { createLogger } from '@kindred/service/logger';
import { runMain } from '@kindred/service/run-main';
import { readEnv } from './env.ts';
import { startGateway } from './gateway.ts';

const env = readEnv();
const logger = createLogger('gateway', env.logLevel);
await runMain({ logger, start: () => startGateway({ ...env, logger }) });
