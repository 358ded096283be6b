/** What one round came to, as the rounds tell it. */
export interface RoundReport {
  fault: string;
  round: number;
  /** What did not hold; none where all is well. */
  violations: string[];
  /** How the run ended. */
  ending: string;
  durationMs: number;
  /** Epochs that were computed more than once. */
  repeatedEpochs: number;
  recommendations: { asked: number; failed: number; slowestMs: number };
  events: { received: number; resumed: number };
}

interface Column {
  title: string;
  cell: (rounds: readonly RoundReport[]) => string;
}

const most = (values: number[]): number => Math.max(0, ...values);
const sum = (values: number[]): number => values.reduce((total, value) => total + value, 0);

const COLUMNS: Column[] = [
  { title: 'rounds', cell: (rounds) => String(rounds.length) },
  { title: 'right', cell: (rounds) => String(rounds.filter(({ violations }) => violations.length === 0).length) },
  { title: 'ended', cell: (rounds) => [...new Set(rounds.map(({ ending }) => ending))].join('/') },
  { title: 'repeated epochs', cell: (rounds) => String(most(rounds.map((round) => round.repeatedEpochs))) },
  { title: 'asked', cell: (rounds) => String(sum(rounds.map((round) => round.recommendations.asked))) },
  { title: 'failed', cell: (rounds) => String(sum(rounds.map((round) => round.recommendations.failed))) },
  { title: 'slowest ms', cell: (rounds) => most(rounds.map((r) => r.recommendations.slowestMs)).toFixed(0) },
  { title: 'events', cell: (rounds) => String(sum(rounds.map((round) => round.events.received))) },
  { title: 'resumed', cell: (rounds) => String(sum(rounds.map((round) => round.events.resumed))) },
  { title: 'mean s', cell: (rounds) => (sum(rounds.map((r) => r.durationMs)) / rounds.length / 1_000).toFixed(1) },
];

/** A line for each fault, a heading first. */
export function tableOf(reports: readonly RoundReport[]): string[] {
  const byFault = [...Map.groupBy(reports, ({ fault }) => fault)];
  const lines = [
    ['fault', ...COLUMNS.map(({ title }) => title)],
    ...byFault.map(([fault, rounds]) => [fault, ...COLUMNS.map(({ cell }) => cell(rounds))]),
  ];
  const widths = (lines[0] ?? []).map((_, at) => most(lines.map((line) => line[at]?.length ?? 0)));
  return lines.map((line) =>
    line.map((text, at) => (at === 0 ? text.padEnd(widths[at] ?? 0) : text.padStart(widths[at] ?? 0))).join('  '),
  );
}
