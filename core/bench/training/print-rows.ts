import { formatSpread, type Spread } from '../statistics.ts';
import { type Column, formatTable } from '../table.ts';
import type { Ceilings } from './ceilings.ts';
import type { Measurements, TrainingRow, WholeTraining } from './measure-configuration.ts';

/** How the table is to be read; also the record's. */
export const LEGEND = `Reading the table: each measurement ran in a process of its own; the least of several rounds counts, the median is in the JSON.
step ms, CPU ms  one Adam step of the first epoch, propagation forward and back included: wall time, and CPU time of all threads
x reference      step of the reference over this one, in this run
peak MB          the most that loading the data, training, evaluating and saving add to a process (10^6 bytes), over the whole
                 training where one was asked for; est. is the preflight's estimate of it over the measured figure
SpMM GB/s        bytes of the neighbours' rows that one layer of propagation reads, each as often as it is read (10^9 a second)
of own rows      share of the fair ceiling: the same rows of the same table in the same order, by as many threads, summed with
                 nothing stored. This is the share to judge a kernel by.
of random        share of what those threads read of rows drawn uniformly. Above 100 % is no error: degrees are skewed, so the
                 layer reads a few popular rows again and again, which stay near in the caches, and uniform rows do not.
of triad         share of STREAM's triad over arrays four times the last cache, the memory's own speed. Above 100 % where the
                 table, or the part of it that is read most, fits the cache.
train s, CPU s   a whole training to its stop: wall and CPU time, validation after each epoch included; mean ± deviation over seeds`;

/** Units of the record's fields by the end of their names. */
export const UNITS = {
  Ms: 'milliseconds',
  Seconds: 'seconds',
  MB: '10^6 bytes',
  bytesPerSecond: 'bytes of gathered rows a second',
  ceilings: 'bytes a second',
  timesReference: 'ratio of step times',
  recallAt20: '0 to 1',
  ndcgAt20: '0 to 1',
};

type Measured = Extract<TrainingRow, Measurements>;

const percent = (share: number) => `${(100 * share).toFixed(0)} %`;
const significant = (value: number) => value.toPrecision(Math.max(3, Math.ceil(Math.log10(value))));
const spread = (pick: (training: WholeTraining) => Spread | null, digits: number) => {
  return ({ training }: Measured) => {
    const value = training && pick(training);
    return value ? formatSpread(value, digits) : null;
  };
};
const share = (pick: (ceilings: Ceilings) => number | null) => {
  return ({ layer }: Measured) => {
    const ceiling = layer.ceilings && pick(layer.ceilings);
    return ceiling ? percent(layer.bytesPerSecond / ceiling) : null;
  };
};
const peakMB = ({ step, training }: Measured) => training?.peakMB.mean ?? step.peakMB;

const COLUMNS: Column<Measured>[] = [
  { title: 'back-end', cell: ({ label }) => label },
  { title: 'step ms', cell: ({ step }) => significant(step.bestStepMs) },
  { title: 'CPU ms', cell: ({ step }) => significant(step.stepCpuMs) },
  { title: 'x reference', cell: (row) => row.timesReference?.toFixed(1) ?? null },
  { title: 'peak MB', cell: (row) => peakMB(row).toFixed(0) },
  { title: 'est.', cell: (row) => percent(row.step.estimatedMB / peakMB(row)) },
  { title: 'SpMM GB/s', cell: ({ layer }) => (layer.bytesPerSecond / 1e9).toFixed(1) },
  { title: 'of own rows', cell: share(({ ownRows }) => ownRows) },
  { title: 'of random', cell: share(({ uniformRows }) => uniformRows) },
  { title: 'of triad', cell: share(({ triad }) => triad) },
];

const TRAINING_COLUMNS: Column<Measured>[] = [
  { title: 'train s', cell: spread(({ wallSeconds }) => wallSeconds, 1) },
  { title: 'CPU s', cell: spread(({ cpuSeconds }) => cpuSeconds, 1) },
  { title: 'epochs', cell: spread(({ epochs }) => epochs, 0) },
];

const QUALITY_COLUMNS: Column<Measured>[] = [
  { title: 'R@20', cell: spread(({ recallAt20 }) => recallAt20, 4) },
  { title: 'N@20', cell: spread(({ ndcgAt20 }) => ndcgAt20, 4) },
];

/** Prints the measured rows as a table, what ran in each, and the ceilings; then the rows that do not work here, and why. */
export function printRows(rows: readonly TrainingRow[]): void {
  const measured = rows.filter((row) => 'step' in row);
  const columns = [
    ...COLUMNS,
    ...(measured.some(({ training }) => training) ? TRAINING_COLUMNS : []),
    ...(measured.some(({ training }) => training?.ndcgAt20) ? QUALITY_COLUMNS : []),
  ];
  for (const line of formatTable(columns, measured)) console.log(line);
  for (const { label, step, layer } of measured) {
    const { ownRows = null, uniformRows = null, triad = null } = layer.ceilings ?? {};
    const bounds = Object.entries({ 'own rows': ownRows, random: uniformRows, triad })
      .filter(([, rate]) => rate !== null)
      .map(([name, rate]) => `; ${name} ${((rate ?? 0) / 1e9).toFixed(1)} GB/s`);
    console.log(`  ${label}: ${step.detail}; layer ${layer.layerMs.toPrecision(3)} ms${bounds.join('')}`);
  }
  for (const row of rows) if ('unavailable' in row) console.log(`  ${row.label}: not here. ${row.unavailable}`);
}
