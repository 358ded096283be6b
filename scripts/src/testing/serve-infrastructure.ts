// Keeps one test infrastructure up until it is interrupted, for a fast loop of test runs:
//   node scripts/src/testing/serve-infrastructure.ts infra.json
//   TEST_INFRASTRUCTURE="$(cat infra.json)" npx vitest run --project db
import { rmSync, writeFileSync } from 'node:fs';
import { startInfrastructure } from './infrastructure.ts';

const [, , path] = process.argv;
if (path === undefined) throw new Error('Wanted the file to write the addresses to.');
const running = await startInfrastructure((message) => console.error(message));
writeFileSync(path, `${JSON.stringify(running.urls)}\n`, { mode: 0o600 });
console.log(`The servers are up; their addresses are in ${path}. Ctrl-C ends them.`);
const stop = async (): Promise<void> => {
  rmSync(path, { force: true });
  await running.stop();
  process.exit(0);
};
process.once('SIGINT', () => void stop());
process.once('SIGTERM', () => void stop());
