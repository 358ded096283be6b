// Our gateway at its peak, a little below it, at twice its peak, at half of it and at its peak again:
// `node gateway/bench/overload.ts [--seconds N] [--rounds N] [--json FILE]`. The machine does not stay as quick as it is, for
// seconds and for minutes: what is kept is held against the peaks right before and after, which are looked at for half as
// long each, and is the median of the rounds.
// Requests come on time whether the ones before were answered or not, as from many clients that know nothing of each
// other. The peak is what a few get that ask as soon as they are answered, which is the most there is; what is kept of the
// best that the same many get below it is said too, and how much of the machine its host gave to others meanwhile. An answer
// is good when it is whole and comes within a second. The gateway has a core of its own, where there is another for who asks
// and answers it.
import { writeFile } from 'node:fs/promises';
import { cpus, loadavg } from 'node:os';
import { parseArgs } from 'node:util';
import { LoadConnections } from '@kindred/testing/load-connections';
import { median, quantile } from '@kindred/testing/quantile';
import { ask } from './ask.ts';
import { CAN_PIN, pinOther } from './pin.ts';
import { bodiesOf, QUERIES } from './queries.ts';
import { createStolenPercent } from './stolen-time.ts';
import { startGatewayProcess } from './start-gateway.ts';
import { startStubs } from './subgraphs-under-test.ts';

const { values: options } = parseArgs({
  options: {
    // Of twice the peak, in each round.
    seconds: { type: 'string', default: '60' },
    rounds: { type: 'string', default: '3' },
    json: { type: 'string' },
  },
});
const SECONDS = Number(options.seconds);
const ROUNDS = Number(options.rounds);
const PEAK_SECONDS = SECONDS / 2;
/** Of each load below the peak, and with each number of connections with which the peak is looked for. */
const SHORT_SECONDS = Math.min(10, SECONDS);
const RECOVERY_SECONDS = 15;
const GOOD_MS = 1_000;
const TICK_MS = 5;
const CONNECTIONS = 1_000;
/** The connections with which the peak is looked for, each asking as soon as it is answered. */
const PEAK_CONNECTIONS = [32, 64, 128];
/** What is asked on time of the peak, to see how much of it is answered well. */
const BELOW_PEAK = [0.8, 0.9, 1];
const QUERY = QUERIES['3 subgraphs, 20 objects'];

interface Second {
  sent: number;
  good: number;
  shed: number;
  late: number;
  failed: number;
}

/** Of a column. */
const WIDTH = 14;
const NOTHING: Second = { sent: 0, good: 0, shed: 0, late: 0, failed: 0 };
const NAMES = ['sent', 'good', 'shed', 'late', 'failed'] as const;

/** Counts the outcome of each request in the second in which it was sent. */
class Outcomes {
  readonly seconds: Second[] = [];
  readonly latencies: number[] = [];
  readonly #startedAt = performance.now();
  readonly #readStolen = createStolenPercent();
  stolenPercent = Number.NaN;

  /** To be called when no more is asked. */
  end(): void {
    this.stolenPercent = this.#readStolen();
  }

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
  outcomes.end();
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
      outcomes.end();
      resolve();
    }, TICK_MS);
  });
  return { outcomes, answered: Promise.all(asked) };
}

function summary(phase: string, { seconds, latencies, stolenPercent }: Outcomes, lastedS: number) {
  const total = { ...NOTHING };
  for (const second of seconds.filter((value) => value !== undefined)) {
    for (const name of NAMES) total[name] += second[name];
  }
  const sorted = latencies.toSorted((a, b) => a - b);
  const rates = { ...NOTHING };
  for (const name of NAMES) rates[name] = total[name] / lastedS;
  return { phase, ...rates, p50Ms: quantile(sorted, 0.5), p95Ms: quantile(sorted, 0.95), stolenPercent };
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

/** Good answers a second with so many connections that each ask as soon as they are answered. */
async function measurePeak(connections: number, seconds: number, phase: string): Promise<number> {
  const client = clientFor(connections);
  await askByTurns(client, connections, 2);
  const measured = summary(phase, await askByTurns(client, connections, seconds), seconds);
  phases.push(measured);
  client.close();
  return measured.good;
}

/** The number of connections with which the most is answered well. */
async function findPeakConnections(): Promise<number> {
  let best = { connections: 0, good: 0 };
  for (const connections of PEAK_CONNECTIONS) {
    const good = await measurePeak(connections, SHORT_SECONDS, `${connections} connections`);
    if (good > best.good) best = { connections, good };
  }
  return best.connections;
}

/** The most good answers a second while no more than the peak is asked, on time. */
async function measureOnTime(client: ReturnType<typeof createAsk>, peak: number, round: number): Promise<number> {
  const good: number[] = [];
  for (const share of BELOW_PEAK) {
    const { outcomes, answered } = await askOnTime(client, share * peak, SHORT_SECONDS);
    await answered;
    const measured = summary(`round ${round}: ${share} of the peak`, outcomes, SHORT_SECONDS);
    phases.push(measured);
    good.push(measured.good);
  }
  return Math.max(...good);
}

async function measureRound(round: number) {
  const measurePeakOnce = (when: string) => measurePeak(peakConnections, PEAK_SECONDS, `round ${round}: peak, ${when}`);
  const before = await measurePeakOnce('before');
  const client = clientFor(CONNECTIONS);
  const onTime = await measureOnTime(client, before, round);
  const overloaded = await askOnTime(client, 2 * before, SECONDS);
  const after = await askOnTime(client, before / 2, RECOVERY_SECONDS);
  await Promise.all([overloaded.answered, after.answered]);
  const atTwice = summary(`round ${round}: twice the peak`, overloaded.outcomes, SECONDS);
  phases.push(atTwice, summary(`round ${round}: half the peak`, after.outcomes, RECOVERY_SECONDS));
  client.close();
  const peak = (before + (await measurePeakOnce('after'))) / 2;
  const recovered = recoveredAfterS(after.outcomes);
  return {
    peakPerSecond: peak,
    keptOfPeak: atTwice.good / peak,
    onTimePerSecond: onTime,
    keptOfOnTime: atTwice.good / onTime,
    recoveredAfterS: recovered ?? null,
  };
}

const peakConnections = await findPeakConnections();
const rounds: Awaited<ReturnType<typeof measureRound>>[] = [];
for (let round = 1; round <= ROUNDS; round++) rounds.push(await measureRound(round));
const { rssMiB } = await ask<{ rssMiB: number }>(gateway, {});
gateway.disconnect();
subgraphs[Symbol.dispose]();

const columns = [...NAMES, 'p50Ms', 'p95Ms', 'stolenPercent'] as const;
console.log(`${'per second'.padEnd(28)}${columns.map((name) => name.padStart(WIDTH)).join('')}`);
for (const phase of phases) {
  console.log(`${phase.phase.padEnd(28)}${columns.map((name) => phase[name].toFixed(1).padStart(WIDTH)).join('')}`);
}
const recoveries = rounds.map((round) => round.recoveredAfterS);
const figures = {
  peakConnections,
  peakPerSecond: median(rounds.map((round) => round.peakPerSecond)),
  keptOfPeak: median(rounds.map((round) => round.keptOfPeak)),
  onTimePerSecond: median(rounds.map((round) => round.onTimePerSecond)),
  keptOfOnTime: median(rounds.map((round) => round.keptOfOnTime)),
  longestRecoveryS: recoveries.includes(null) ? null : Math.max(...recoveries.map(Number)),
  rssMiB,
};
const recovered = figures.longestRecoveryS === null ? 'not within the time' : `after ${figures.longestRecoveryS} s`;
const percent = (share: number) => `${(share * 100).toFixed(0)} %`;
const listed = (name: 'keptOfPeak' | 'keptOfOnTime') =>
  `${percent(figures[name])} (${rounds.map((round) => percent(round[name])).join(', ')})`;
console.log(
  `at twice the peak ${listed('keptOfPeak')} of its goodput are kept, ${listed('keptOfOnTime')} of the best below it; recovered ${recovered}; ${rssMiB.toFixed(0)} MiB`,
);
const machine = { isPinned: CAN_PIN, cores: cpus().length, loadBefore, loadAfter: loadavg(), node: process.version };
console.log(`${machine.cores} cores, load ${loadBefore.map((value) => value.toFixed(1)).join(' ')} before`);
if (options.json !== undefined) {
  await writeFile(options.json, `${JSON.stringify({ machine, phases, rounds, figures }, null, 2)}\n`);
}
process.exit();
