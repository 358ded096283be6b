import type { PairedInterval } from '../../src/metrics/bootstrap.ts';
import { formatSpread } from '../statistics.ts';
import { type Column, formatTable } from '../table.ts';
import type { ModelRow, Quality } from './summarize.ts';

/** How the table is to be read; also the record's. */
export const LEGEND = `Reading the table: full ranking of all items for every user with held-out items, training items left out. Each model and seed ran
in a process of its own. ± is the deviation over seeds (which also draw random splits), [low high] the 95 % bootstrap interval
over users (1,000 resamples).
above popularity, above spectral  the model's NDCG less theirs for the same users, with its paired bootstrap interval; + before
         both ends: the model is above, beyond the chance of which users were measured
fold-in  NDCG of the same users scored from their histories as if the model had not seen them, and its share of the trained one
fit      wall seconds, CPU seconds of all threads, and the most memory above that of the loaded data (10^6 bytes); est. is the
         model's own estimate of its typed arrays over that, which leaves out what the runtime and scratch space take
score s  ranking all measured users, wall seconds`;

/** Units of the record's fields. */
export const UNITS = {
  quality: '0 to 1, means over users',
  ndcgAbove: 'difference of NDCG, pValue two-sided',
  seconds: 'seconds',
  MB: '10^6 bytes',
  novelty: 'bits',
  averagePopularity: 'training users',
};

const withInterval = ({ spread, interval }: Quality) =>
  `${formatSpread(spread, 4)} [${interval.low.toFixed(4)} ${interval.high.toFixed(4)}]`;
const signed = (value: number) => `${value < 0 ? '' : '+'}${value.toFixed(4)}`;
const difference = (above: PairedInterval | null) =>
  above && `${signed(above.mean)} [${signed(above.low)} ${signed(above.high)}]`;

/** Prints the rows of one data set as a table, and each model's configuration. */
export function printRows(rows: readonly ModelRow[], cutoff: number): void {
  const columns: Column<ModelRow>[] = [
    { title: 'model', cell: ({ model }) => model },
    { title: `R@${cutoff}`, cell: ({ quality }) => withInterval(quality.recall) },
    { title: `N@${cutoff}`, cell: ({ quality }) => withInterval(quality.ndcg) },
    { title: 'above popularity', cell: ({ ndcgAbove }) => difference(ndcgAbove.popularity) },
    { title: 'above spectral', cell: ({ ndcgAbove }) => difference(ndcgAbove.spectral) },
    {
      title: 'fold-in',
      cell: ({ foldInNdcg, foldInShare }) => `${foldInNdcg.mean.toFixed(4)} ${(100 * foldInShare).toFixed(1)} %`,
    },
    { title: 'fit s', cell: ({ fitSeconds }) => formatSpread(fitSeconds, 2) },
    { title: 'CPU s', cell: ({ fitCpuSeconds }) => formatSpread(fitCpuSeconds, 2) },
    { title: 'peak MB', cell: ({ fitPeakMB }) => fitPeakMB.mean.toFixed(0) },
    {
      title: 'est.',
      cell: ({ estimatedMB, fitPeakMB }) =>
        estimatedMB === null ? null : `${((100 * estimatedMB) / fitPeakMB.mean).toFixed(0)} %`,
    },
    { title: 'score s', cell: ({ scoreSeconds }) => formatSpread(scoreSeconds, 2) },
  ];
  for (const line of formatTable(columns, rows)) console.log(line);
  for (const { model, notes } of rows) console.log(`  ${model}: ${notes.join('; ')}`);
}
