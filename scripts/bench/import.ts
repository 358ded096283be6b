// A file of interactions through the whole import: uploaded to the gateway, taken in by the worker of the queue `data`, until
// it has ended. `node scripts/bench/import.ts [--rows N] [--items N] [--users N] [--wrong SHARE] [--json FILE]`: of the rows,
// a share is wrong in one of three ways, each a line of the error report. The processes are those of `npm start`.
import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { availableParallelism, loadavg } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { type Api, refuseUserErrors, request, type UserError } from '../src/demo/api.ts';
import { createRandom } from '../src/demo/random.ts';
import { cpuBetween, readUse } from './serve/process-use.ts';
import { startTrainingPlatform } from './training/platform.ts';
import { createTenant } from './training/runs.ts';

const { values: options } = parseArgs({
  options: {
    rows: { type: 'string', default: '200000' },
    items: { type: 'string', default: '10000' },
    users: { type: 'string', default: '20000' },
    wrong: { type: 'string', default: '0' },
    json: { type: 'string' },
  },
});
const [ROWS, ITEMS, USERS, WRONG] = [options.rows, options.items, options.users, options.wrong].map(Number) as [
  number,
  number,
  number,
  number,
];
const WORKER = 'worker-data';
const LOOK_EVERY_MS = 1_000;

const START = `mutation StartImport($uploadId: ID!) {
  startImport(input: { uploadId: $uploadId, kind: INTERACTIONS, format: CSV }) { import { id } userErrors { code message path } }
}`;
const READ = `query ReadImport($id: ID!) {
  import(id: $id) { status failure rowCount writtenCount duplicateCount failedCount startedAt finishedAt }
}`;

interface Import {
  status: string;
  failure: string | null;
  rowCount: number;
  writtenCount: number;
  duplicateCount: number;
  failedCount: number;
  startedAt: string | null;
  finishedAt: string | null;
}

const loadBefore = loadavg();
const { text, wrongCount } = makeRows();
await using platform = await startTrainingPlatform();
const { api, credential } = await createTenant(platform, { itemCount: ITEMS, userCount: 0, interactionsPerUser: 0 });
const before = readUse(platform.processes());
const uploadStartedAt = performance.now();
const uploadId = await upload(api, text);
const uploadMs = performance.now() - uploadStartedAt;
const ended = await run(api, uploadId);
const tookMs = Date.parse(ended.finishedAt ?? '') - Date.parse(ended.startedAt ?? '');
const cpuMs = cpuBetween(before, readUse(platform.processes()));
const rowsPerSecond = ROWS / (tookMs / 1_000);
const peakMiB = Math.round(readPeakKiB(platform.processes().get(WORKER)?.pid ?? 0) / 1024);
if (ended.rowCount !== ROWS || ended.failedCount !== wrongCount || ended.writtenCount !== ROWS - wrongCount)
  throw new Error(`Wanted ${ROWS} rows, ${wrongCount} of them wrong; got ${JSON.stringify(ended)}`);

const seconds = (ms: number): string => (ms / 1_000).toFixed(1);
console.log(
  `${ROWS} rows, ${wrongCount} wrong, ${(text.length / 2 ** 20).toFixed(0)} MiB, uploaded in ${seconds(uploadMs)} s`,
);
console.log(`imported in ${seconds(tookMs)} s: ${rowsPerSecond.toFixed(0)} rows/s; peak of ${WORKER} ${peakMiB} MiB`);
const perRow = Object.entries(cpuMs).map(([name, ms]) => [name, (ms * 1_000) / ROWS] as const);
const busy = perRow.filter(([, us]) => us >= 0.5).map(([name, us]) => `${name} ${us.toFixed(1)}`);
console.log(`CPU us per row: ${busy.join(', ')}`);
const machine = { cores: availableParallelism(), loadBefore, loadAfter: loadavg(), node: process.version };
console.log(`${machine.cores} cores, load ${loadBefore.map((value) => value.toFixed(1)).join(' ')} before`);
if (options.json !== undefined) {
  const result = { machine, rows: ROWS, wrongCount, uploadMs, tookMs, rowsPerSecond, peakMiB, cpuMs };
  await writeFile(options.json, `${JSON.stringify(result, null, 2)}\n`);
}

/** Rows with an event id each, in the order of their times, as an export of a shop has them. */
function makeRows(): { text: string; wrongCount: number } {
  const random = createRandom(5);
  const first = Date.now() - ROWS * 1_000;
  const lines = ['eventId,userExternalId,itemExternalId,type,value,occurredAt'];
  let wrong = 0;
  for (let row = 0; row < ROWS; row++) {
    const isWrong = random.next() < WRONG;
    const way = isWrong ? (wrong += 1) % 3 : -1;
    const item = way === 0 ? 'nothing' : `item-${Math.floor(random.next() ** 2 * ITEMS)}`;
    const type = way === 1 ? 'GLANCE' : 'VIEW';
    const time = way === 2 ? 'yesterday' : new Date(first + row * 1_000).toISOString();
    lines.push(`event-${row},user-${Math.floor(random.next() * USERS)},${item},${type},,${time}`);
  }
  return { text: `${lines.join('\n')}\n`, wrongCount: wrong };
}

async function upload({ httpUrl, signal }: Api, body: string): Promise<string> {
  const headers = { authorization: `Bearer ${credential}`, 'content-type': 'text/csv' };
  const url = new URL('/files/catalog/uploads', httpUrl);
  const response = await fetch(url, { method: 'POST', headers, body, signal });
  const answer = (await response.json()) as { uploadId?: string };
  if (answer.uploadId === undefined)
    throw new Error(`The upload was answered ${response.status} ${JSON.stringify(answer)}`);
  return answer.uploadId;
}

async function run(to: Api, id: string): Promise<Import> {
  const { startImport } = await request<{ startImport: { import: { id: string } | null; userErrors: UserError[] } }>(
    to,
    {
      document: START,
      variables: { uploadId: id },
      credential,
    },
  );
  refuseUserErrors('startImport', startImport.userErrors);
  for (;;) {
    const variables = { id: startImport.import?.id };
    const { import: found } = await request<{ import: Import }>(to, { document: READ, variables, credential });
    if (found.status === 'SUCCEEDED') return found;
    if (found.finishedAt !== null) throw new Error(`The import ended as ${found.status}: ${found.failure}`);
    await sleep(LOOK_EVERY_MS);
  }
}

/** The most memory that a process has had, as Linux counts it. */
function readPeakKiB(pid: number): number {
  const peak = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  if (peak === undefined) throw new Error(`The kernel does not tell the peak of process ${pid}`);
  return Number(peak);
}
