// Our gateway at its peak, at twice its peak, and after it: `node gateway/bench/overload.ts [--seconds N] [--json FILE]`.
// Requests come on time whether the ones before were answered or not, as from many clients that know nothing of each
// other. An answer is good when it is whole and comes within a second. The gateway has a core of its own, where there is
// another for who asks and answers it.
import { writeFile } from 'node:fs/promises';
import { cpus, loadavg } from 'node:os';
import { parseArgs } from 'node:util';
import { LoadConnections } from '@kindred/testing/load-connections';
import { quantile } from '@kindred/testing/quantile';
import { ask } from './ask.ts';
import { CAN_PIN, pinOther } from './pin.ts';
import { bodiesOf, QUERIES } from './queries.ts';
import { startGatewayProcess } from './start-gateway.ts';
import { startStubs } from './subgraphs-under-test.ts';

const { values: options } = parseArgs({
  options: { seconds: { type: 'string', default: '60' }, json: { type: 'string' } },
});
const SECONDS = Number(options.seconds);
const PEAK_SECONDS = Math.min(10, SECONDS);
const RECOVERY_SECONDS = 15;
const GOOD_MS = 1_000;
const TICK_MS = 5;
const CONNECTIONS = 1_000;
/** The connections with which the peak is looked for, each asking as soon as it is answered. */
const PEAK_CONNECTIONS = [32, 64, 128];
const QUERY = QUERIES['3 subgraphs, 20 objects'];

interface Second {
  sent: number;
  good: number;
  shed: number;
  late: number;
  failed: number;
}

const NOTHING: Second = { sent: 0, good: 0, shed: 0, late: 0, failed: 0 };
const NAMES = ['sent', 'good', 'shed', 'late', 'failed'] as const;

/** Counts the outcome of each request in the second in which it was sent. */
class Outcomes {
  readonly seconds: Second[] = [];
  readonly latencies: number[] = [];
  readonly #startedAt = performance.now();

  async count(request: () => Promise<{ status: number; text: string }>): Promise<void> {
    const startedAt = performance.now();
    const index = Math.floor((startedAt - this.#startedAt) / 1_000);
    const second = (this.seconds[index] ??= { ...NOTHING });
    second.sent += 1;
    const { status, text } = await request().catch(() => ({ status: 0, text: '' }));
    const tookMs = performance.now() - startedAt;
    if (status === 503) second.shed += 1;
    else if (status !== 200 || text.includes('"errors"')) second.failed += 1;
    else if (tookMs > GOOD_MS) second.late += 1;
    else {
      second.good += 1;
      this.latencies.push(tookMs);
    }
  }
}

function createAsk(url: string, token: string, connections: number) {
  const { origin, pathname: path } = new URL(url);
  const open = new LoadConnections(origin, { connections });
  const headers = { 'content-type': 'application/json', authorization: `Bearer ${token}` };
  const bodyFor = bodiesOf(QUERY);
  let count = 0;
  return {
    ask: async () => {
      const { statusCode, text } = await open.post({ path, headers, body: bodyFor(`u${(count += 1)}`) });
      return { status: statusCode, text };
    },
    close: () => open.close(),
  };
}

/** As many at a time as there are connections. */
async function askByTurns(client: ReturnType<typeof createAsk>, connections: number, seconds: number) {
  const outcomes = new Outcomes();
  const endAt = performance.now() + seconds * 1_000;
  const connection = async () => {
    while (performance.now() < endAt) await outcomes.count(client.ask);
  };
  await Promise.all(Array.from({ length: connections }, connection));
  return outcomes;
}

/** So many a second, whatever is answered. */
async function askOnTime(client: ReturnType<typeof createAsk>, perSecond: number, seconds: number) {
  const outcomes = new Outcomes();
  const asked: Promise<void>[] = [];
  const startedAt = performance.now();
  await new Promise<void>((resolve) => {
    const timer = setInterval(() => {
      const elapsedMs = performance.now() - startedAt;
      const due = Math.floor((Math.min(elapsedMs, seconds * 1_000) / 1_000) * perSecond);
      while (asked.length < due) asked.push(outcomes.count(client.ask));
      if (elapsedMs < seconds * 1_000) return;
      clearInterval(timer);
      resolve();
    }, TICK_MS);
  });
  return { outcomes, answered: Promise.all(asked) };
}

function summary(phase: string, { seconds, latencies }: Outcomes, lastedS: number) {
  const total = { ...NOTHING };
  for (const second of seconds.filter((value) => value !== undefined)) {
    for (const name of NAMES) total[name] += second[name];
  }
  const sorted = latencies.toSorted((a, b) => a - b);
  const rates = { ...NOTHING };
  for (const name of NAMES) rates[name] = total[name] / lastedS;
  return { phase, ...rates, p50Ms: quantile(sorted, 0.5), p95Ms: quantile(sorted, 0.95) };
}

/** The first second from which on nearly all are answered well; undefined where there is none. */
function recoveredAfterS({ seconds }: Outcomes): number | undefined {
  const isWell = ({ sent, good }: Second) => good >= 0.95 * sent;
  const last = seconds.findLastIndex((second) => !isWell(second));
  return last === seconds.length - 1 ? undefined : last + 1;
}

pinOther(process.pid);
const subgraphs = await startStubs({ connections: 1, areOne: true });
const { child: gateway, url } = await startGatewayProcess('ours', subgraphs);
const loadBefore = loadavg();
const clientFor = (connections: number) => createAsk(url, subgraphs.tokens[0] ?? '', connections);

const phases: ReturnType<typeof summary>[] = [];

/** The most good answers a second; the machine does not stay as quick as it is, hence before and after. */
async function findPeak(when: string): Promise<number> {
  const found: number[] = [];
  for (const connections of PEAK_CONNECTIONS) {
    const client = clientFor(connections);
    await askByTurns(client, connections, 2);
    const outcomes = await askByTurns(client, connections, PEAK_SECONDS);
    const phase = summary(`${connections} connections, ${when}`, outcomes, PEAK_SECONDS);
    phases.push(phase);
    found.push(phase.good);
    client.close();
  }
  return Math.max(...found);
}

const peakBefore = await findPeak('before');
const client = clientFor(CONNECTIONS);
const overloaded = await askOnTime(client, 2 * peakBefore, SECONDS);
const after = await askOnTime(client, peakBefore / 2, RECOVERY_SECONDS);
await Promise.all([overloaded.answered, after.answered]);
phases.push(summary('twice the peak', overloaded.outcomes, SECONDS));
phases.push(summary('half the peak, after it', after.outcomes, RECOVERY_SECONDS));
client.close();
const peakAfter = await findPeak('after');
const peak = (peakBefore + peakAfter) / 2;
const { rssMiB } = await ask<{ rssMiB: number }>(gateway, {});
gateway.disconnect();
subgraphs[Symbol.dispose]();

const columns = [...NAMES, 'p50Ms', 'p95Ms'] as const;
console.log(`${'per second'.padEnd(26)}${columns.map((name) => name.padStart(9)).join('')}`);
for (const phase of phases) {
  console.log(`${phase.phase.padEnd(26)}${columns.map((name) => phase[name].toFixed(1).padStart(9)).join('')}`);
}
const goodAtTwice = phases.find(({ phase }) => phase === 'twice the peak')?.good ?? 0;
const figures = {
  peakPerSecond: peak,
  peakBeforePerSecond: peakBefore,
  peakAfterPerSecond: peakAfter,
  keptOfPeak: goodAtTwice / peak,
  recoveredAfterS: recoveredAfterS(after.outcomes),
  rssMiB,
};
const recovered = figures.recoveredAfterS === undefined ? 'not within the time' : `after ${figures.recoveredAfterS} s`;
console.log(
  `at twice the peak ${(figures.keptOfPeak * 100).toFixed(0)} % of its goodput are kept; recovered ${recovered}; ${rssMiB.toFixed(0)} MiB`,
);
const machine = { isPinned: CAN_PIN, cores: cpus().length, loadBefore, loadAfter: loadavg(), node: process.version };
console.log(`${machine.cores} cores, load ${loadBefore.map((value) => value.toFixed(1)).join(' ')} before`);
if (options.json !== undefined) {
  await writeFile(options.json, `${JSON.stringify({ machine, phases, figures }, null, 2)}\n`);
}
process.exit();
