import { formatMetric } from '../../lib/format.ts';
import { type FragmentType, readFragment } from '../../src/generated/fragment-masking.ts';
import { graphql } from '../../src/generated/gql.ts';
import type { TrialStatus } from '../../src/generated/graphql.ts';
import { CellText, DataTable } from '../shell/data-table.tsx';
import { type PillTone, StatusPill } from '../shell/status-pill.tsx';
import { settingsText } from './settings-text.ts';
import { TrialCurve } from './trial-curve.tsx';
import { leadingTrial } from './trial-order.ts';

const ROW = graphql(`
  fragment TrialRow on TuningTrial {
    number
    status
    settings {
      name
      value
    }
    curve
    ndcgAt10
    failure
  }
`);

const LOOKS: Readonly<Record<TrialStatus, readonly [PillTone, string]>> = {
  WAITING: ['neutral', 'Waiting'],
  RUNNING: ['live', 'Running'],
  DONE: ['good', 'Done'],
  STOPPED: ['warm', 'Given up'],
  FAILED: ['bad', 'Failed'],
};

/** The trials of a tuning in order, the leading one marked. */
export function TrialList({ trials: masked }: { trials: readonly FragmentType<typeof ROW>[] }) {
  const trials = readFragment(ROW, masked);
  const leader = leadingTrial(trials);
  const epochs = Math.max(...trials.map(({ curve }) => curve.length), 1);
  const top = Math.max(...trials.flatMap(({ curve }) => curve), 0);
  return (
    <DataTable label="Trials" columns={['Trial', 'Course', 'Best NDCG@10', 'Epochs', 'State']}>
      {trials.map(({ number, status, settings, curve, ndcgAt10, failure }) => {
        const [tone, label] = LOOKS[status];
        const leads = leader?.number === number;
        return (
          <tr key={number} data-testid="trial-row" data-status={status} data-leads={leads}>
            <td>
              <CellText below={failure ?? settingsText(settings)}>
                Trial {number}
                {leads ? ' · best so far' : ''}
              </CellText>
            </td>
            <td>
              <TrialCurve curve={curve} epochs={epochs} top={top} />
            </td>
            <td className="numeric">{ndcgAt10 == null ? '–' : formatMetric(ndcgAt10)}</td>
            <td className="numeric">{curve.length}</td>
            <td>
              <StatusPill tone={tone} label={label} />
            </td>
          </tr>
        );
      })}
    </DataTable>
  );
}
